// The cache: content-addressed files on disk, verified as they come in. A download that was cut off is kept, checked, and
// resumed. A file under blobs/ is only a claim: a power cut can empty it, and whoever shares the folder can replace it. So
// chunk hashes are never read from disk: they are kept in memory for what this process hashed whole, and made anew, together
// with the digest, for everything else.
//
//   blobs/sha256/<hex>   was whole and verified when it got this name; not synced, so whoever reads it verifies it
//   ingest/<hex>         coming in, and beside it its .lock
//   ingest/<hex>.<pid>   the same, by a process that does not hold the lock
//   ingest/add.<pid>.…   coming in, its digest not known yet
import { open, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK_SIZE } from '../core/chunks.ts';
import { hexOf, type Digest } from '../core/digest.ts';
import { AirgapError, fileError, systemErrorCode } from '../core/errors.ts';
import type { Report } from '../core/events.ts';
import type { ProcessIdentity } from '../core/file-lock.ts';
import { freeSpace } from '../core/disk-space.ts';
import { hashingHere, type Hashing } from '../core/hashing.ts';
import { ensureFolder } from '../core/files.ts';
import { SingleFlight } from '../core/pool.ts';
import {
  borrowRange,
  readFully,
  readRange,
  type BorrowedStream,
  type ByteStream,
  type FileRange,
  type ReaderAt,
} from '../core/streams.ts';
import { sweepAbandoned } from './abandoned.ts';
import { ingest } from './ingest.ts';
import { ingestUnknown, noRoom, sweepUnknown, type AddOptions } from './ingest-unknown.ts';
import { digestMismatch, type Descriptor } from './descriptor.ts';
import { LandingHashes } from './landing.ts';
import type { FetchOptions, Store } from './target.ts';

/** What identifies content; a media type is no part of it. */
export type Identity = Pick<Descriptor, 'digest' | 'size'>;

export interface Cache extends Store {
  fetch(blob: Identity, options?: FetchOptions): ByteStream;
  borrow(blob: Identity, options?: FetchOptions): BorrowedStream;
  /** @throws CONTENT_MISSING */
  open(blob: Identity): Promise<ReaderAt>;
  /**
   * Stores content whose digest is not known before, whole or not at all, and never so much that the disk is full of it.
   * @throws what the stream throws, what `tooLong` makes (REGISTRY_PROTOCOL by default), DISK_FULL, IO_FAILED
   */
  add(content: BorrowedStream, options?: AddOptions): Promise<Identity>;
  /**
   * sha256 of every 4 MiB, 32 bytes each (src/core/chunks.ts), bound to the digest: both were computed from the same bytes in one
   * pass of this process. Content that came in with an earlier run is read and hashed whole.
   * @throws CONTENT_MISSING, DIGEST_MISMATCH for content that is not what its name says
   */
  chunks(blob: Identity, options?: Pick<FetchOptions, 'signal'>): Promise<Buffer>;
  /** Whether so many bytes can still be stored. @throws DISK_FULL */
  requireRoom(bytes: number): Promise<void>;
  /** Forgets a blob that turned out to be damaged. */
  drop(digest: Digest): Promise<void>;
}

export interface CacheOptions {
  readonly self: ProcessIdentity;
  readonly report?: Report | undefined;
  readonly hashing?: Hashing | undefined;
  /** Bytes that may still be written to the folder; asked of the file system by default. */
  readonly freeSpace?: ((folder: string) => Promise<number>) | undefined;
}

/** @throws IO_FAILED, DISK_FULL */
export async function openCache(folder: string, options: CacheOptions): Promise<Cache> {
  const paths = {
    blob: (digest: Digest) => join(folder, 'blobs', 'sha256', hexOf(digest)),
    ingest: (digest: Digest) => join(folder, 'ingest', hexOf(digest)),
  };
  for (const part of ['blobs/sha256', 'ingest']) {
    await ensureFolder(join(folder, part));
  }
  const { self, report, hashing = hashingHere, freeSpace: roomIn = freeSpace } = options;
  await sweepUnknown(join(folder, 'ingest'), self);
  await sweepAbandoned(join(folder, 'ingest'), self);
  const incoming = new SingleFlight<Digest, void>();

  const hashed = new Map<Digest, Buffer>();
  const exists = async (blob: Identity): Promise<boolean> => {
    const found = await stat(paths.blob(blob.digest)).catch(() => undefined);
    return found?.size === blob.size;
  };
  const reading = async function* <T>(
    blob: Identity,
    read: (file: FileHandle, range: FileRange) => AsyncIterable<T>,
    options: FetchOptions = {},
  ): AsyncGenerator<T> {
    const file = await openForReading(paths.blob(blob.digest), blob);
    try {
      yield* read(file, options);
    } finally {
      await file.close();
    }
  };
  const borrow = (blob: Identity, options?: FetchOptions): BorrowedStream => reading(blob, borrowRange, options);
  return {
    exists,
    fetch: (blob, options) => reading(blob, readRange, options),
    borrow,
    open: async (blob) => {
      const file = await openForReading(paths.blob(blob.digest), blob);
      return { read: (into, position) => readFully(file, into, position), close: () => file.close() };
    },
    push: async (descriptor, content, pushOptions = {}) => {
      if (await exists(descriptor)) return;
      const files = { blob: paths.blob(descriptor.digest), ingest: paths.ingest(descriptor.digest) };
      await incoming.run(descriptor.digest, async () => {
        const chunks = await ingest(descriptor, content, { self, report, hashing, ...pushOptions, files });
        hashed.set(descriptor.digest, chunks);
      });
    },
    add: async (content, addOptions = {}) => {
      const { chunks, ...blob } = await ingestUnknown(content, {
        ...addOptions,
        ...{ self, report, hashing },
        folder: join(folder, 'ingest'),
        blob: paths.blob,
        room: await roomIn(folder),
      });
      hashed.set(blob.digest, chunks);
      return blob;
    },
    chunks: async (blob, { signal } = {}) => {
      const known = hashed.get(blob.digest) ?? singleChunk(blob);
      if (known) return known;
      const chunks = await hashWhole(blob, borrow(blob, { signal }), hashing);
      hashed.set(blob.digest, chunks);
      return chunks;
    },
    requireRoom: async (bytes) => {
      const room = await roomIn(folder);
      if (bytes > room) throw noRoom(folder, room);
    },
    drop: async (digest) => {
      await Promise.all([paths.blob(digest), paths.ingest(digest)].map((path) => rm(path, { force: true })));
    },
  };
}

/** What needs no reading: the hash of a body of one chunk is its digest. */
function singleChunk({ digest, size }: Identity): Buffer | undefined {
  return size > 0 && size <= CHUNK_SIZE ? Buffer.from(hexOf(digest), 'hex') : undefined;
}

async function hashWhole(blob: Identity, content: BorrowedStream, hashing: Hashing): Promise<Buffer> {
  const hashes = new LandingHashes(hashing, blob.size);
  for await (const { bytes } of content) await hashes.update([bytes]);
  const { digest, size, chunks } = await hashes.finish();
  if (digest !== blob.digest || size !== blob.size) throw digestMismatch(blob, { digest, size }, 'in the cache');
  return chunks;
}

async function openForReading(path: string, blob: Identity): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw fileError(error, 'read', path);
    throw new AirgapError('CONTENT_MISSING', `${blob.digest} is not in the cache`, { cause: error });
  }
}
