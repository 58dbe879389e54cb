// One blob coming into the cache: what an earlier run left is checked and kept, the rest is hashed while it is written, and
// only what matches its digest gets a final name.
import { rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { fileError, isAirgapError } from '../core/errors.ts';
import type { Report } from '../core/events.ts';
import { tryLock, type ProcessIdentity } from '../core/file-lock.ts';
import type { Hashing } from '../core/hashing.ts';
import { openOutput } from '../core/output-file.ts';
import { borrowRange } from '../core/streams.ts';
import { borrowedContent } from './content.ts';
import { digestMismatch, type Descriptor } from './descriptor.ts';
import { land, LandingHashes } from './landing.ts';
import type { Content, PushOptions } from './target.ts';

/** What every blob that comes in needs. */
export interface IngestContext {
  readonly self: ProcessIdentity;
  readonly report?: Report | undefined;
  readonly hashing: Hashing;
}

export interface IngestOptions extends PushOptions, IngestContext {
  /** Where the blob lies when it is whole, and while it comes in. */
  readonly files: { readonly blob: string; readonly ingest: string };
}

/**
 * Returns the chunk hashes of what landed.
 * @throws DIGEST_MISMATCH (what came in is deleted), DISK_FULL (what came in is kept), what the source throws (kept too)
 */
export async function ingest(descriptor: Descriptor, content: Content, options: IngestOptions): Promise<Buffer> {
  const { files, self } = options;
  const unlock = await tryLock(`${files.ingest}.lock`, self);
  // another process is fetching the same blob: fetch it apart from it, and let the last rename win
  const path = unlock ? files.ingest : `${files.ingest}.${self.pid}`;
  try {
    const resumed = ((await stat(path).catch(() => undefined))?.size ?? 0) > 0;
    const chunks = await receive(path, descriptor, content, options).catch((error: unknown) => {
      // what an earlier run left may be what is wrong: once more without it
      if (resumed && isAirgapError(error, 'DIGEST_MISMATCH')) return receive(path, descriptor, content, options);
      throw error;
    });
    await commit(path, files.blob, options.report);
    return chunks;
  } catch (error) {
    throw fileError(error, 'write', path);
  } finally {
    if (!unlock) await rm(path, { force: true });
    await unlock?.();
  }
}

/**
 * Gives a blob the name by which the cache knows it. Nothing is synced: what a machine that stops takes back is noticed by its
 * digest, as other damage is, and fetched again (docs/adr/0006).
 */
export async function commit(landed: string, blob: string, report: Report | undefined): Promise<void> {
  await rename(landed, blob);
  report?.({ type: 'step', step: 'cache:renamed' });
}

/** Returns the chunk hashes of the whole, verified content. */
async function receive(
  path: string,
  descriptor: Descriptor,
  content: Content,
  options: IngestOptions,
): Promise<Buffer> {
  const file = await openOutput(path, { append: true });
  try {
    const hashes = new LandingHashes(options.hashing, descriptor.size);
    const have = await rehash(file, descriptor, hashes);
    options.report?.({ type: 'step', step: 'cache:ingest' });
    const limit = descriptor.size - have;
    const tooLong = (more: number): Error => digestMismatch(descriptor, { size: have + more });
    if (limit > 0) await land(file, borrowedContent(content, have), { ...options, hashes, limit, tooLong });
    const { chunks, digest, size } = await hashes.finish();
    if (digest !== descriptor.digest || size !== descriptor.size) throw digestMismatch(descriptor, { digest, size });
    options.report?.({ type: 'step', step: 'cache:landed' });
    return chunks;
  } catch (error) {
    if (isAirgapError(error, 'DIGEST_MISMATCH')) await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Hashes what an earlier run left; more than there should be is cut off by starting anew. */
async function rehash(file: FileHandle, descriptor: Descriptor, hashes: LandingHashes): Promise<number> {
  const { size } = await file.stat();
  if (size > descriptor.size) {
    await file.truncate(0);
    return 0;
  }
  for await (const { bytes } of borrowRange(file, { end: size })) await hashes.update([bytes]);
  return size;
}
