// Bytes that land in a file: written and hashed at once, a batch while the next one comes in. Which file that is, and what
// becomes of it, is ingest.ts and ingest-unknown.ts.
import type { FileHandle } from 'node:fs/promises';
import { CHUNK_SIZE, ChunkHasher } from '../core/chunks.ts';
import { digestFromHash, type Digest } from '../core/digest.ts';
import type { Hashing, RunningHash } from '../core/hashing.ts';
import { READ_SIZE, type ByteStream } from '../core/streams.ts';
import type { PushOptions } from './target.ts';

export interface LandOptions extends PushOptions {
  readonly hashes: LandingHashes;
  /** Bytes that may come at most. */
  readonly limit: number;
  /** What to throw as soon as more have come; `size` is how many. */
  readonly tooLong: (size: number) => Error;
}

/** Appends a stream to a file that was opened for that. What came before a failure is in the file. */
export async function land(file: FileHandle, stream: ByteStream, options: LandOptions): Promise<void> {
  const { hashes, limit, tooLong, signal, progress } = options;
  let pieces: Uint8Array[] = [];
  let gathered = 0;
  let size = 0;
  let landing: Promise<unknown> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await landing;
    const batch = pieces;
    const bytes = gathered;
    pieces = [];
    gathered = 0;
    landing = Promise.all([writeAll(file, batch), hashes.update(batch)]).then(() => progress?.(bytes));
    landing.catch(() => undefined); // awaited by the next flush or at the end
  };
  try {
    for await (const piece of stream) {
      signal?.throwIfAborted();
      size += piece.byteLength;
      if (size > limit) throw tooLong(size);
      pieces.push(piece);
      gathered += piece.byteLength;
      if (gathered >= READ_SIZE) await flush(); // sockets deliver small pieces
    }
  } finally {
    await flush().catch(() => undefined);
    await landing;
  }
}

async function writeAll(file: FileHandle, pieces: Uint8Array[]): Promise<void> {
  const total = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (total === 0) return;
  const { bytesWritten } = await file.writev(pieces);
  if (bytesWritten === total) return;
  // a short write: the file is open for appending, so the rest just follows
  await file.appendFile(Buffer.concat(pieces).subarray(bytesWritten));
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
