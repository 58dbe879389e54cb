// Authenticode signatures of Windows binaries, on the smallest header that has one.
import { describe, expect, test } from 'vitest';
import { certificateTable, withoutCertificate } from '../../scripts/package/certificate.ts';

const PE = 0x80;
const ENTRY = PE + 24 + 112 + 4 * 8;
const CHECKSUM = PE + 24 + 64;

/** Headers in 512 bytes, then 8 of program, then 16 of certificates. */
function signedBinary(): Buffer {
  const binary = Buffer.alloc(512 + 8 + 16, 0xee).fill(0, 0, 512);
  binary.write('MZ', 0, 'latin1');
  binary.writeUInt32LE(PE, 0x3c);
  binary.write('PE\0\0', PE, 'latin1');
  binary.writeUInt16LE(0x8664, PE + 4);
  binary.writeUInt16LE(0x20b, PE + 24);
  binary.writeUInt32LE(0x12345, CHECKSUM);
  binary.writeUInt32LE(512 + 8, ENTRY);
  binary.writeUInt32LE(16, ENTRY + 4);
  return binary;
}

describe('the certificate table', () => {
  test('is found', () => {
    expect(certificateTable(signedBinary())).toEqual({ entry: ENTRY, offset: 520, size: 16 });
  });

  test('is not looked for in what is no Windows binary for x86-64', () => {
    const arm64 = signedBinary();
    arm64.writeUInt16LE(0xaa64, PE + 4);
    expect(() => certificateTable(arm64)).toThrow('not a Windows binary for x86-64');
    expect(() => certificateTable(Buffer.alloc(600, '\x7fELF'))).toThrow();
  });
});

describe('a binary without its certificates', () => {
  test('ends where they began, and differs in nothing but directory entry and checksum', () => {
    const signed = signedBinary();
    const expected = Buffer.from(signed.subarray(0, 520)).fill(0, ENTRY, ENTRY + 8);
    expect(withoutCertificate(signed)).toEqual(expected.fill(0, CHECKSUM, CHECKSUM + 4));
  });

  test('stays as it is a second time', () => {
    const bare = withoutCertificate(signedBinary());
    expect(withoutCertificate(bare)).toEqual(bare);
  });

  test('is not made where something follows them', () => {
    expect(() => withoutCertificate(Buffer.concat([signedBinary(), Buffer.alloc(1)]))).toThrow('not at the end');
  });
});
