// sha256 of bytes in motion: here, or on other threads (hash-threads.ts) while this one moves the next bytes.
import { createHash } from 'node:crypto';

export interface Hashing {
  /** The 32 bytes of a sha256. The bytes must stay as they are until it is there. */
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /** @param size bytes that are to come, as far as it is known: little is hashed here whatever threads there are */
  begin(size?: number): RunningHash;
}

export interface RunningHash {
  /** Takes in bytes, piece after piece; they may change when it resolves. The next call need not wait for it. */
  update(pieces: readonly Uint8Array[]): Promise<void>;
  /** Ends the hash: 32 bytes. */
  digest(): Promise<Uint8Array>;
}

/** A buffer in memory that other threads see: what lies there is hashed without being copied. */
export function sharedBuffer(size: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(size));
}

/**
 * Copies all of `bytes` into a buffer from `position` on; into shared memory, `set` goes word by word and takes four times as long.
 * @throws RangeError when there is no room for them
 */
export function copyInto(buffer: Buffer, bytes: Uint8Array, position: number): void {
  if (bytes.byteLength > 0) buffer.fill(bytes, position, position + bytes.byteLength);
}

/**
 * Buffers used in turn: one is being filled, one consumed, and the end of the one before may still be on its way out. Shared
 * ones by default; what reads something again and again keeps one ring for it, since such memory is given back late.
 */
export class BufferRing {
  readonly #allocate: (size: number) => Buffer;
  readonly #buffers: Buffer[] = [];
  #turn = 0;

  constructor(allocate = sharedBuffer) {
    this.#allocate = allocate;
  }

  /** One of at least `size` bytes; what the third one before it was filled with is gone. */
  next(size: number): Buffer {
    const index = this.#turn++ % 3;
    const known = this.#buffers[index];
    if (known !== undefined && known.byteLength >= size) return known;
    return (this.#buffers[index] = this.#allocate(size));
  }
}

/** Shared memory that is handed to others, and is theirs until `free`. */
export interface Stage {
  readonly bytes: Buffer;
  free: Promise<unknown>;
}

/** Three stages of one size, used in turn. */
export class Stages {
  readonly #stages: readonly Stage[];
  #turn = 0;

  /** @param size bytes of each */
  constructor(size: number) {
    this.#stages = Array.from({ length: 3 }, () => ({ bytes: sharedBuffer(size), free: Promise.resolve() }));
  }

  /** The next one, once it is free. @throws what became of its `free` */
  async next(): Promise<Stage> {
    const stage = this.#stages[this.#turn++ % this.#stages.length];
    if (!stage) throw new Error('there are no stages');
    await stage.free;
    return stage;
  }

  /** When each is free, as it is handed over now. */
  get free(): Promise<unknown>[] {
    return this.#stages.map(({ free }) => free);
  }
}

export const hashingHere: Hashing = {
  sha256: async (bytes) => createHash('sha256').update(bytes).digest(),
  begin: () => {
    const hash = createHash('sha256');
    return {
      update: async (pieces) => {
        for (const piece of pieces) hash.update(piece);
      },
      digest: async () => hash.digest(),
    };
  },
};
