// Content digests (OCI image-spec, descriptor.md#digests). Only sha256 is used: every registry speaks it, and the
// bundle's file names depend on it. The grammar is checked before a digest is used for anything, a path above all
// (CVE-2024-3727).
import { createHash, type Hash } from 'node:crypto';
import { AirgapError } from './errors.ts';
import { hashingHere, type Hashing } from './hashing.ts';
import type { BorrowedStream } from './streams.ts';

/** `sha256:` and 64 lower-case hexadecimal digits; made by `parseDigest`, `digestOf` or `Digester` only. */
export type Digest = string & { readonly __digest: true };

const SHA256 = /^sha256:[0-9a-f]{64}$/;

export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && SHA256.test(value);
}

/** @throws REFERENCE_INVALID when `value` is not a sha256 digest; `where` names its place in the message. */
export function parseDigest(value: string, where = 'digest'): Digest {
  if (isDigest(value)) return value;
  throw new AirgapError('REFERENCE_INVALID', `${where} is not a sha256 digest: ${JSON.stringify(value.slice(0, 100))}`);
}

export function digestOf(bytes: Uint8Array): Digest {
  return new Digester().update(bytes).digest();
}

/** The 64 hexadecimal digits. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

export function digestFromHash(raw: Uint8Array): Digest {
  return `sha256:${Buffer.from(raw).toString('hex')}` as Digest;
}

/** A running sha256 that counts. */
export class Digester {
  #hash: Hash = createHash('sha256');
  size = 0;

  update(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    this.size += bytes.byteLength;
    return this;
  }

  /** Ends the hash; the Digester cannot be used afterwards. */
  digest(): Digest {
    return `sha256:${this.#hash.digest('hex')}` as Digest;
  }
}

/** What a stream comes to. */
export async function digestOfStream(
  stream: BorrowedStream,
  hashing: Hashing = hashingHere,
): Promise<{ digest: Digest; size: number }> {
  const hash = hashing.begin();
  let size = 0;
  for await (const { bytes } of stream) {
    await hash.update([bytes]);
    size += bytes.byteLength;
  }
  return { digest: digestFromHash(await hash.digest()), size };
}
