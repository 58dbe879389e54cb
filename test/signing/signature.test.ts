// Strictness: one signature has one encoding. Everything else is false, and never a throw.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { verifySignature } from '../../src/signing/signature.ts';
import { signerOf } from '../support/signer.ts';

const MESSAGE = Buffer.from('what was signed');

describe.each(['ecdsa-p256', 'ed25519', 'rsa'] as const)('%s', (algorithm) => {
  const pair = generateKeyPair({ algorithm });
  const signer = signerOf(pair.privatePem);
  const accepts = (signature: string, message: Uint8Array = MESSAGE): boolean =>
    verifySignature(pair.publicKey, message, signature);

  test('no signature with one bit changed verifies, nor does a changed message', async () => {
    const raw = Buffer.from(await signer.sign(MESSAGE), 'base64');
    fc.assert(
      fc.property(fc.nat(raw.byteLength * 8 - 1), (bit) => {
        const changed = Buffer.from(raw);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(accepts(changed.toString('base64'))).toBe(false);
      }),
    );
    expect(accepts(raw.toString('base64'), Buffer.from('what was Signed'))).toBe(false);
    expect(accepts(raw.toString('base64'))).toBe(true);
  });

  test('no arbitrary text verifies or throws', () => {
    fc.assert(fc.property(fc.string(), (text) => !accepts(text)));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => !accepts(Buffer.from(bytes).toString('base64'))),
    );
  });

  test('base64 with white space, without padding, with stray bits or in the URL alphabet is refused', async () => {
    const signature = await signer.sign(MESSAGE);
    expect(signature).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    for (const text of [
      `${signature}\n`,
      ` ${signature}`,
      signature.slice(0, 10) + '\n' + signature.slice(10),
      `${signature}=`,
      `${signature}AAAA`,
    ])
      expect(accepts(text)).toBe(false);
    if (signature.endsWith('=')) expect(accepts(signature.replace(/=+$/, ''))).toBe(false);
  });
});

describe('ECDSA in another encoding (malleable DER)', () => {
  const pair = generateKeyPair();
  const signer = signerOf(pair.privatePem);
  const accepts = (der: Buffer): boolean => verifySignature(pair.publicKey, MESSAGE, der.toString('base64'));
  const integers = (der: Buffer): [Buffer, Buffer] => {
    const rLength = der[3] ?? 0;
    return [der.subarray(4, 4 + rLength), der.subarray(6 + rLength)];
  };
  const encode = (r: Buffer, s: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from([2, r.byteLength]), r, Buffer.from([2, s.byteLength]), s]);
    return Buffer.concat([Buffer.from([0x30, body.byteLength]), body]);
  };

  test('is refused: padded integers, bytes after, long-form lengths, an indefinite form', async () => {
    const der = Buffer.from(await signer.sign(MESSAGE), 'base64');
    const [r, s] = integers(der);
    expect(accepts(encode(r, s))).toBe(true);
    expect(accepts(encode(Buffer.concat([Buffer.from([0]), r]), s))).toBe(false);
    expect(accepts(encode(r, Buffer.concat([Buffer.from([0]), s])))).toBe(false);
    expect(accepts(Buffer.concat([der, Buffer.from([0])]))).toBe(false);
    expect(accepts(Buffer.concat([Buffer.from([0x30, 0x81, der.byteLength - 2]), der.subarray(2)]))).toBe(false);
    expect(accepts(Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(2), Buffer.from([0, 0])]))).toBe(false);
  });

  test('psychic signatures (CVE-2022-21449): r and s of zero, or of the order, are refused', () => {
    const order = Buffer.from('00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
    const zero = Buffer.from([0]);
    for (const [r, s] of [
      [zero, zero],
      [order, order],
      [Buffer.from([1]), zero],
      [zero, Buffer.from([1])],
    ] as const)
      expect(accepts(encode(r, s))).toBe(false);
  });
});
