// Chunk hashes: the sha256 of every 4 MiB of a body. They give a damaged range a name, let a transfer resume after
// checking what is there, and let a reader verify a piece before it passes it on.
import { createHash } from 'node:crypto';
import { hashingHere, type Hashing, type RunningHash } from './hashing.ts';

export const CHUNK_SIZE = 4 * 1024 * 1024;
export const CHUNK_HASH_SIZE = 32;

export function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_SIZE);
}

/** Of bytes that are in memory as a whole: 32 bytes for each chunk. */
export function chunkHashes(bytes: Uint8Array): Buffer {
  const hashes = Array.from({ length: chunkCount(bytes.byteLength) }, (_, i) =>
    createHash('sha256')
      .update(bytes.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE))
      .digest(),
  );
  return Buffer.concat(hashes);
}

/** Hashes each 4 MiB of what passes through; the last chunk is shorter, an empty body has none. */
export class ChunkHasher {
  readonly #hashing: Hashing;
  #chunk: RunningHash | undefined;
  #filled = 0;
  readonly #hashes: Promise<Uint8Array>[] = [];

  constructor(hashing: Hashing = hashingHere) {
    this.#hashing = hashing;
  }

  /** Takes in bytes, piece after piece; they may change when it resolves. */
  async update(pieces: readonly Uint8Array[]): Promise<void> {
    const taken: Promise<unknown>[] = [];
    let parts: Uint8Array[] = [];
    const flush = (): void => {
      this.#chunk ??= this.#hashing.begin();
      taken.push(this.#chunk.update(parts));
      parts = [];
    };
    for (const piece of pieces) {
      for (let at = 0; at < piece.byteLength;) {
        const part = piece.subarray(at, at + CHUNK_SIZE - this.#filled);
        parts.push(part);
        this.#filled += part.byteLength;
        at += part.byteLength;
        if (this.#filled < CHUNK_SIZE) continue;
        flush();
        this.#close();
      }
    }
    if (parts.length > 0) flush();
    await Promise.all(taken);
  }

  /** The hashes so far and of what is left, 32 bytes each. The hasher cannot be used afterwards. */
  async digest(): Promise<Buffer> {
    this.#close();
    return Buffer.concat(await Promise.all(this.#hashes));
  }

  #close(): void {
    if (!this.#chunk) return;
    const hash = this.#chunk.digest();
    hash.catch(() => undefined); // awaited by digest()
    this.#hashes.push(hash);
    this.#chunk = undefined;
    this.#filled = 0;
  }
}
