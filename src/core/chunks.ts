// Chunk hashes: the sha256 of every 4 MiB of a body. They give a damaged range a name, let a transfer resume after
// checking what is there, and let a reader verify a piece before it passes it on.
import { createHash, type Hash } from 'node:crypto';

export const CHUNK_SIZE = 4 * 1024 * 1024;
export const CHUNK_HASH_SIZE = 32;

export function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_SIZE);
}

/** Hashes each 4 MiB of what passes through; the last chunk is shorter, an empty body has none. */
export class ChunkHasher {
  #hash: Hash = createHash('sha256');
  #filled = 0;
  readonly #hashes: Buffer[] = [];

  update(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.byteLength;) {
      const take = Math.min(bytes.byteLength - at, CHUNK_SIZE - this.#filled);
      this.#hash.update(bytes.subarray(at, at + take));
      this.#filled += take;
      at += take;
      if (this.#filled === CHUNK_SIZE) this.#close();
    }
    return this;
  }

  /** The hashes so far and of what is left, 32 bytes each. The hasher cannot be used afterwards. */
  digest(): Buffer {
    if (this.#filled > 0) this.#close();
    return Buffer.concat(this.#hashes);
  }

  #close(): void {
    this.#hashes.push(this.#hash.digest());
    this.#hash = createHash('sha256');
    this.#filled = 0;
  }
}
