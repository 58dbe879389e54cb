// Bytes that land in a file: written and hashed at once, a batch while the next one comes in. Which file that is, and what
// becomes of it, is ingest.ts and ingest-unknown.ts.
import type { FileHandle } from 'node:fs/promises';
import { BufferPool, copyInto } from '../core/buffers.ts';
import { CHUNK_SIZE, ChunkHasher } from '../core/chunks.ts';
import { digestFromHash, type Digest } from '../core/digest.ts';
import type { Hashing, RunningHash } from '../core/hashing.ts';
import { settle } from '../core/pool.ts';
import { READ_SIZE, type BorrowedStream } from '../core/streams.ts';
import type { PushOptions } from './target.ts';

export interface LandOptions extends PushOptions {
  readonly hashes: LandingHashes;
  /** Bytes that may come at most. */
  readonly limit: number;
  /** What to throw as soon as more have come; `size` is how many. */
  readonly tooLong: (size: number) => Error;
}

/** Two batches for each blob that lands: 16 MiB for the whole process. Lent before the source is asked for anything. */
export const landingBuffers = new BufferPool({ size: 2 * READ_SIZE, count: 8 });

/** Appends a stream to a file that was opened for that. What came before a failure is in the file. */
export async function land(file: FileHandle, stream: BorrowedStream, options: LandOptions): Promise<void> {
  const size = Math.min(options.limit, READ_SIZE);
  const loan = await landingBuffers.lend(2 * size, options.signal);
  const batches = [new Batch(loan.bytes.subarray(0, size)), new Batch(loan.bytes.subarray(size))] as const;
  try {
    await landIn(batches, { ...options, file, stream });
  } finally {
    loan.giveBack();
  }
}

/** Nothing uses the batches any more when it ends, whatever becomes of it. */
async function landIn(
  batches: readonly [Batch, Batch],
  options: LandOptions & { readonly file: FileHandle; readonly stream: BorrowedStream },
): Promise<void> {
  const { file, stream, hashes, limit, tooLong, signal, progress } = options;
  let [filling, other] = batches;
  let size = 0;
  const landBatch = async (batch: Batch): Promise<void> => {
    const bytes = batch.take();
    await settle([appendAll(file, bytes), hashes.update([bytes])]);
    progress?.(bytes.byteLength);
  };
  const flush = async (): Promise<void> => {
    await other.landed;
    filling.landed = landBatch(filling);
    filling.landed.catch(() => undefined); // awaited when its turn comes again, or at the end
    [filling, other] = [other, filling];
  };
  try {
    for await (const { bytes: piece } of stream) {
      signal?.throwIfAborted();
      size += piece.byteLength;
      if (size > limit) throw tooLong(size);
      for (let at = 0; at < piece.byteLength;) {
        at += filling.put(piece.subarray(at));
        if (filling.isFull) await flush();
      }
    }
  } finally {
    await flush().catch(() => undefined);
    await settle(batches.map(({ landed }) => landed));
  }
}

/** Bytes gathered until they are worth a write and a message to the thread that hashes; sockets deliver small pieces. */
class Batch {
  readonly #bytes: Buffer;
  #filled = 0;
  /** When the bytes that were taken last are written and hashed. */
  landed: Promise<void> = Promise.resolve();

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isFull(): boolean {
    return this.#filled === this.#bytes.byteLength;
  }

  /** Answers how many bytes of `piece` there was room for. */
  put(piece: Uint8Array): number {
    const part = piece.subarray(0, this.#bytes.byteLength - this.#filled);
    copyInto(this.#bytes, part, this.#filled);
    this.#filled += part.byteLength;
    return part.byteLength;
  }

  /** They stay as they are until the next `put`. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#filled);
    this.#filled = 0;
    return bytes;
  }
}

/** After a short write the rest just follows. */
async function appendAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.byteLength;)
    done += (await file.write(bytes, done, bytes.byteLength - done)).bytesWritten;
}

/** What landed. */
export interface Landed {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** sha256 of every 4 MiB, 32 bytes each. */
  readonly chunks: Buffer;
}

/** Digest and chunk hashes in one pass; for what is known to be a single chunk they are the same hash, taken once. */
export class LandingHashes {
  readonly #whole: RunningHash;
  readonly #chunks: ChunkHasher | undefined;
  #size = 0;

  /** @param size bytes that are to come at most, as far as it is known */
  constructor(hashing: Hashing, size?: number) {
    this.#whole = hashing.begin(size);
    this.#chunks = size === undefined || size > CHUNK_SIZE ? new ChunkHasher(hashing) : undefined;
  }

  /** Takes in bytes, piece after piece; they may change when it resolves. */
  async update(pieces: readonly Uint8Array[]): Promise<void> {
    for (const { byteLength } of pieces) this.#size += byteLength;
    await Promise.all([this.#whole.update(pieces), this.#chunks?.update(pieces)]);
  }

  async finish(): Promise<Landed> {
    const hash = Buffer.from(await this.#whole.digest());
    const size = this.#size;
    const single = size === 0 ? Buffer.alloc(0) : hash;
    return { digest: digestFromHash(hash), size, chunks: this.#chunks ? await this.#chunks.digest() : single };
  }
}
