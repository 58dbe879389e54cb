// One blob coming into the cache: what an earlier run left is checked and gone on with, the rest is hashed while it is
// written, and only what matches its digest gets a final name.
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CHUNK_SIZE, ChunkHasher } from '../core/chunks.ts';
import { digestFromHash } from '../core/digest.ts';
import { fileError, isAirgapError } from '../core/errors.ts';
import type { Report } from '../core/events.ts';
import { tryLock, type ProcessIdentity } from '../core/file-lock.ts';
import { syncFolder, writeWholeFile } from '../core/files.ts';
import { sharedBuffer, type Hashing, type RunningHash } from '../core/hashing.ts';
import { READ_SIZE, readRange } from '../core/streams.ts';
import { Writeback } from '../core/writeback.ts';
import { digestMismatch, type Descriptor } from './descriptor.ts';
import type { Content, PushOptions } from './target.ts';

export interface IngestOptions extends PushOptions {
  readonly self: ProcessIdentity;
  readonly report?: Report | undefined;
  readonly hashing: Hashing;
  readonly files: { readonly ingest: string; readonly blob: string; readonly chunks: string };
}

/** @throws DIGEST_MISMATCH (what came in is deleted), DISK_FULL (what came in is kept), what the source throws (kept too) */
export async function ingest(descriptor: Descriptor, content: Content, options: IngestOptions): Promise<void> {
  const { files, self } = options;
  const unlock = await tryLock(`${files.ingest}.lock`, self);
  // another process is fetching the same blob: fetch it apart from it, and let the last rename win
  const path = unlock ? files.ingest : `${files.ingest}.${self.pid}`;
  try {
    const resumed = ((await stat(path).catch(() => undefined))?.size ?? 0) > 0;
    const hashes = await receive(path, descriptor, content, options).catch((error: unknown) => {
      // what an earlier run left may be what is wrong: once more without it
      if (resumed && isAirgapError(error, 'DIGEST_MISMATCH')) return receive(path, descriptor, content, options);
      throw error;
    });
    await writeWholeFile(files.chunks, hashes, { temporary: `${files.chunks}.${self.pid}.tmp` });
    options.report?.({ type: 'step', step: 'cache:chunks' });
    await rename(path, files.blob);
    await syncFolder(dirname(files.blob));
    options.report?.({ type: 'step', step: 'cache:renamed' });
  } catch (error) {
    throw fileError(error, 'write', path);
  } finally {
    if (!unlock) await rm(path, { force: true });
    await unlock?.();
  }
}

/** Answers the chunk hashes of the whole, verified content. */
async function receive(
  path: string,
  descriptor: Descriptor,
  content: Content,
  options: IngestOptions,
): Promise<Buffer> {
  const file = await open(path, 'a+');
  try {
    const hashes = new Hashes(descriptor, options.hashing);
    const have = await rehash(file, descriptor, hashes);
    options.report?.({ type: 'step', step: 'cache:ingest' });
    const writeback = new Writeback(file);
    await append(file, have, { descriptor, content, hashes, writeback, options }).finally(() => writeback.settle());
    const chunks = await hashes.finish();
    await file.sync();
    options.report?.({ type: 'step', step: 'cache:synced' });
    return chunks;
  } catch (error) {
    if (isAirgapError(error, 'DIGEST_MISMATCH')) await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Hashes what an earlier run left; more than there should be is cut off by starting anew. */
async function rehash(file: FileHandle, descriptor: Descriptor, hashes: Hashes): Promise<number> {
  const { size } = await file.stat();
  if (size > descriptor.size) {
    await file.truncate(0);
    return 0;
  }
  for await (const piece of readRange(file, { end: size, reuse: true })) await hashes.update([piece]);
  return size;
}

interface Incoming {
  readonly descriptor: Descriptor;
  readonly content: Content;
  readonly hashes: Hashes;
  readonly writeback: Writeback;
  readonly options: IngestOptions;
}

/** A batch is written and hashed, both at once, while the next one comes in; sockets deliver small pieces. */
async function append(
  file: FileHandle,
  have: number,
  { descriptor, content, hashes, writeback, options }: Incoming,
): Promise<void> {
  if (have === descriptor.size) return;
  const batches = [new Batch(descriptor.size - have), new Batch(descriptor.size - have)] as const;
  let filling: Batch = batches[0];
  let size = have;
  const land = async (batch: Batch): Promise<void> => {
    const bytes = batch.take();
    await Promise.all([appendAll(file, bytes), hashes.update([bytes])]);
    writeback.wrote(bytes.byteLength);
    options.progress?.(bytes.byteLength);
  };
  const next = async (): Promise<void> => {
    const other = filling === batches[0] ? batches[1] : batches[0];
    await other.landed;
    filling.landed = land(filling);
    filling.landed.catch(() => undefined); // awaited when its turn comes again, or at the end
    filling = other;
  };
  try {
    for await (const piece of content.open(have)) {
      options.signal?.throwIfAborted();
      size += piece.byteLength;
      if (size > descriptor.size) throw digestMismatch(descriptor, { size });
      for (let at = 0; at < piece.byteLength;) {
        at += filling.put(piece.subarray(at));
        if (filling.isFull) await next();
      }
    }
  } finally {
    await next().catch(() => undefined); // what came before a failure is kept for the next run
    await Promise.all(batches.map(({ landed }) => landed));
  }
}

/** Bytes gathered until they are worth a write and a message to the thread that hashes. */
class Batch {
  readonly #bytes: Buffer;
  #filled = 0;
  /** When the bytes that were taken last are written and hashed. */
  landed: Promise<void> = Promise.resolve();

  constructor(most: number) {
    this.#bytes = sharedBuffer(Math.min(most, READ_SIZE));
  }

  get isFull(): boolean {
    return this.#filled === this.#bytes.byteLength;
  }

  /** Answers how many bytes of `piece` there was room for. */
  put(piece: Uint8Array): number {
    const part = piece.subarray(0, this.#bytes.byteLength - this.#filled);
    this.#bytes.set(part, this.#filled);
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

/** The file is open for appending: after a short write the rest just follows. */
async function appendAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.byteLength;)
    done += (await file.write(bytes, done, bytes.byteLength - done)).bytesWritten;
}

/** Digest and chunk hashes in one pass; for content of a single chunk they are the same hash, and it is taken once. */
class Hashes {
  readonly #descriptor: Descriptor;
  readonly #whole: RunningHash;
  readonly #chunks: ChunkHasher | undefined;
  #size = 0;

  constructor(descriptor: Descriptor, hashing: Hashing) {
    this.#descriptor = descriptor;
    this.#whole = hashing.begin(descriptor.size);
    this.#chunks = descriptor.size > CHUNK_SIZE ? new ChunkHasher(hashing) : undefined;
  }

  /** Takes in bytes, piece after piece; they may change when it resolves. */
  async update(pieces: readonly Uint8Array[]): Promise<void> {
    for (const { byteLength } of pieces) this.#size += byteLength;
    await Promise.all([this.#whole.update(pieces), this.#chunks?.update(pieces)]);
  }

  /** The chunk hashes. @throws DIGEST_MISMATCH */
  async finish(): Promise<Buffer> {
    const hash = Buffer.from(await this.#whole.digest());
    const [digest, size] = [digestFromHash(hash), this.#size];
    if (digest !== this.#descriptor.digest || size !== this.#descriptor.size)
      throw digestMismatch(this.#descriptor, { digest, size });
    if (this.#chunks) return this.#chunks.digest();
    return size === 0 ? Buffer.alloc(0) : hash;
  }
}
