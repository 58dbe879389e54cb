// The tar dialect of a bundle: one 512-byte GNU header for each entry, everything in it fixed but path and size. A header is
// a pure function of those two, so a reader regenerates it and compares, and never has to believe one.
import { AirgapError } from '../core/errors.ts';

export const BLOCK = 512;
/** Two blocks of zeros end the archive. */
export const TRAILER_SIZE = 2 * BLOCK;

const OCTAL_SIZE_LIMIT = 8 ** 11;

/** @param path at most 100 bytes of ASCII; @param size bytes of the body */
export function tarHeader(path: string, size: number): Buffer {
  if (path.length > 100) throw new AirgapError('INTERNAL', `a path too long for a tar header: ${path}`);
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0, 'ascii');
  header.write('0000644\0', 100, 'ascii'); // mode
  header.write('0000000\0', 108, 'ascii'); // owner
  header.write('0000000\0', 116, 'ascii'); // group
  writeSize(header, size);
  header.write('00000000000\0', 136, 'ascii'); // modification time
  header.write('        ', 148, 'ascii'); // the checksum counts as blanks while it is made
  header.write('0', 156, 'ascii'); // a regular file
  header.write('ustar  \0', 257, 'ascii'); // GNU, whose readers take sizes in base-256
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  return header;
}

/** Zeros between the end of a body and the next header. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** The size that a header claims, as a hint only: -1 for anything but plain octal. */
export function claimedSize(header: Uint8Array): number {
  const text = Buffer.from(header.subarray(124, 136)).toString('latin1');
  return /^[0-7]{11}\0$/.test(text) ? Number.parseInt(text, 8) : -1;
}

function writeSize(header: Buffer, size: number): void {
  if (size < OCTAL_SIZE_LIMIT) {
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'ascii');
    return;
  }
  header.writeUInt8(0x80, 124);
  header.writeBigUInt64BE(BigInt(size), 128);
}
