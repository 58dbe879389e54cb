// A bundle as a file of bytes, read without the program under test: only what the tar headers say.
import { open } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

const BLOCK = 512;

export interface Slot {
  /** Offset of the body, behind its header. */
  readonly offset: number;
  readonly size: number;
}

/** Where the first signature slot lies: the second entry of the tar. */
export async function signatureSlot(bundle: string): Promise<Slot> {
  const manifest = await sizeInHeader(bundle, 0);
  const header = BLOCK + Math.ceil(manifest / BLOCK) * BLOCK;
  return { offset: header + BLOCK, size: await sizeInHeader(bundle, header) };
}

/** `sha256:` and the digest of a file of any size. */
export async function sha256OfFile(
  path: string,
  options: { readonly start?: number; readonly end?: number } = {},
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, ...options }))
    hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

/** Digests of all before and all behind the signature: two signatures by one key over the same bytes differ. */
export async function digestsAroundSignature(bundle: string): Promise<[string, string]> {
  const { offset, size } = await signatureSlot(bundle);
  return [await sha256OfFile(bundle, { end: offset - 1 }), await sha256OfFile(bundle, { start: offset + size })];
}

async function sizeInHeader(bundle: string, offset: number): Promise<number> {
  const file = await open(bundle);
  try {
    const field = Buffer.alloc(12);
    await file.read(field, 0, field.length, offset + 124);
    return Number.parseInt(field.toString('latin1'), 8);
  } finally {
    await file.close();
  }
}
