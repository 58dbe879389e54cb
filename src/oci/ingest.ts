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
import type { Hashing, RunningHash } from '../core/hashing.ts';
import { READ_SIZE, readRange } from '../core/streams.ts';
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
    await writeWholeFile(files.chunks, hashes, { temporary: `${path}.chunks` });
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
    await append(file, have, { descriptor, content, hashes, options });
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
  readonly options: IngestOptions;
}

/** A batch is written and hashed, both at once, while the next one comes in; sockets deliver small pieces. */
async function append(
  file: FileHandle,
  have: number,
  { descriptor, content, hashes, options }: Incoming,
): Promise<void> {
  if (have === descriptor.size) return;
  let pieces: Uint8Array[] = [];
  let gathered = 0;
  let size = have;
  let landing: Promise<unknown> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await landing;
    const batch = pieces;
    const bytes = gathered;
    pieces = [];
    gathered = 0;
    landing = Promise.all([writeAll(file, batch), hashes.update(batch)]).then(() => options.progress?.(bytes));
    landing.catch(() => undefined); // awaited by the next flush or at the end
  };
  try {
    for await (const piece of content.open(have)) {
      options.signal?.throwIfAborted();
      size += piece.byteLength;
      if (size > descriptor.size) throw digestMismatch(descriptor, { size });
      pieces.push(piece);
      gathered += piece.byteLength;
      if (gathered >= READ_SIZE) await flush();
    }
  } finally {
    await flush().catch(() => undefined); // what came before a failure is kept for the next run
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
