// The cache: content-addressed files on disk, verified as they come in. A download that was cut off is kept, checked, and
// gone on with. Beside each blob lie its chunk hashes, made in the same pass.
//
//   blobs/sha256/<hex>   whole and verified; not synced, so whoever reads it verifies it
//   chunks/sha256/<hex>  32 bytes for every 4 MiB of it
//   ingest/<hex>         coming in, and beside it what belongs to that: .lock, .chunks
//   ingest/<hex>.<pid>   the same, by a process that does not hold the lock
//   ingest/add.<pid>.…   coming in, its digest not known yet
import { open, readFile, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK_HASH_SIZE, chunkCount, ChunkHasher } from '../core/chunks.ts';
import { hexOf, type Digest } from '../core/digest.ts';
import { AirgapError, fileError, systemErrorCode } from '../core/errors.ts';
import type { Report } from '../core/events.ts';
import type { ProcessIdentity } from '../core/file-lock.ts';
import { hashingHere, type Hashing } from '../core/hashing.ts';
import { ensureFolder, writeWholeFile } from '../core/files.ts';
import { SingleFlight } from '../core/pool.ts';
import { readFully, readRange, type ByteStream, type ReaderAt } from '../core/streams.ts';
import { sweepAbandoned } from './abandoned.ts';
import { ingest, type BlobFiles } from './ingest.ts';
import { ingestUnknown, sweepUnknown, type AddOptions } from './ingest-unknown.ts';
import type { Descriptor } from './descriptor.ts';
import type { FetchOptions, Store } from './target.ts';

/** What identifies content; a media type is no part of it. */
export type Identity = Pick<Descriptor, 'digest' | 'size'>;

export interface Cache extends Store {
  fetch(blob: Identity, options?: FetchOptions): ByteStream;
  /** @throws CONTENT_MISSING */
  open(blob: Identity): Promise<ReaderAt>;
  /**
   * Stores content whose digest is not known before, whole or not at all. @throws what the stream throws, what `tooLong`
   * makes (REGISTRY_PROTOCOL by default), DISK_FULL, IO_FAILED
   */
  add(content: ByteStream, options?: AddOptions): Promise<Identity>;
  /** sha256 of every 4 MiB, 32 bytes each (src/core/chunks.ts). @throws CONTENT_MISSING */
  chunks(blob: Identity): Promise<Buffer>;
  /** Forgets a blob that turned out to be damaged. */
  drop(digest: Digest): Promise<void>;
}

export interface CacheOptions {
  readonly self: ProcessIdentity;
  readonly report?: Report | undefined;
  readonly hashing?: Hashing | undefined;
}

/** @throws IO_FAILED, DISK_FULL */
export async function openCache(folder: string, options: CacheOptions): Promise<Cache> {
  const paths = {
    blob: (digest: Digest) => join(folder, 'blobs', 'sha256', hexOf(digest)),
    chunks: (digest: Digest) => join(folder, 'chunks', 'sha256', hexOf(digest)),
    ingest: (digest: Digest) => join(folder, 'ingest', hexOf(digest)),
  };
  for (const part of ['blobs/sha256', 'chunks/sha256', 'ingest']) {
    await ensureFolder(join(folder, part));
  }
  const { self, report, hashing = hashingHere } = options;
  await sweepUnknown(join(folder, 'ingest'), self);
  await sweepAbandoned(join(folder, 'ingest'), self);
  const incoming = new SingleFlight<Digest, void>();

  const filesOf = (digest: Digest): BlobFiles => ({ blob: paths.blob(digest), chunks: paths.chunks(digest) });
  const exists = async (blob: Identity): Promise<boolean> => {
    const found = await stat(paths.blob(blob.digest)).catch(() => undefined);
    return found?.size === blob.size;
  };
  const fetch = async function* (blob: Identity, options: FetchOptions = {}): AsyncGenerator<Buffer> {
    const { start, signal, reuse } = options;
    const file = await openForReading(paths.blob(blob.digest), blob);
    try {
      yield* readRange(file, { start, signal, reuse: Boolean(reuse) });
    } finally {
      await file.close();
    }
  };
  return {
    exists,
    fetch,
    open: async (blob) => {
      const file = await openForReading(paths.blob(blob.digest), blob);
      return { read: (into, position) => readFully(file, into, position), close: () => file.close() };
    },
    push: async (descriptor, content, pushOptions = {}) => {
      if (await exists(descriptor)) return;
      const files = { ...filesOf(descriptor.digest), ingest: paths.ingest(descriptor.digest) };
      await incoming.run(descriptor.digest, () =>
        ingest(descriptor, content, { self, report, hashing, ...pushOptions, files }),
      );
    },
    add: (content, addOptions = {}) =>
      ingestUnknown(content, {
        ...addOptions,
        ...{ self, report, hashing, exists },
        folder: join(folder, 'ingest'),
        files: filesOf,
      }),
    chunks: async (blob) => {
      const stored = await readFile(paths.chunks(blob.digest)).catch(() => undefined);
      if (stored?.byteLength === chunkCount(blob.size) * CHUNK_HASH_SIZE && (await exists(blob))) return stored;
      const hasher = new ChunkHasher(hashing);
      for await (const piece of fetch(blob, { reuse: true })) await hasher.update([piece]);
      const hashes = await hasher.digest();
      await writeWholeFile(paths.chunks(blob.digest), hashes);
      return hashes;
    },
    drop: async (digest) => {
      await Promise.all(
        [paths.blob(digest), paths.chunks(digest), paths.ingest(digest)].map((path) => rm(path, { force: true })),
      );
    },
  };
}

async function openForReading(path: string, blob: Identity): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw fileError(error, 'read', path);
    throw new AirgapError('CONTENT_MISSING', `${blob.digest} is not in the cache`, { cause: error });
  }
}
