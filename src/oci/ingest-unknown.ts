// Content coming into the cache whose digest nobody knows yet: it lands in a folder of its own, and gets its name from what
// it turns out to be. A failed transfer is deleted: without a digest it cannot be resumed.
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Digest } from '../core/digest.ts';
import { AirgapError, fileError } from '../core/errors.ts';
import type { ProcessIdentity } from '../core/file-lock.ts';
import type { BorrowedStream } from '../core/streams.ts';
import { commit, type IngestContext } from './ingest.ts';
import { land, LandingHashes, type Landed } from './landing.ts';
import type { PushOptions } from './target.ts';

export interface AddOptions extends PushOptions {
  /** Bytes that are accepted at most; any number by default. */
  readonly limit?: number | undefined;
  /** What to throw when there are more. */
  readonly tooLong?: (() => Error) | undefined;
}

interface UnknownOptions extends AddOptions, IngestContext {
  /** Where what comes in lands. */
  readonly folder: string;
  /** Bytes that there is room for. */
  readonly room: number;
  /** Where a blob lies when it is whole. */
  readonly blob: (digest: Digest) => string;
}

/** Folders that this process is filling: its id alone does not tell them from what an earlier one of that id left. */
const filling = new Set<string>();

export async function ingestUnknown(content: BorrowedStream, options: UnknownOptions): Promise<Landed> {
  const folder = await makeFolder(options);
  const path = join(folder, 'blob');
  try {
    const landed = await receive(path, content, options);
    await commit(path, options.blob(landed.digest), options.report);
    return landed;
  } catch (error) {
    throw fileError(error, 'write', path);
  } finally {
    await rm(folder, { recursive: true, force: true });
    filling.delete(basename(folder));
  }
}

/** Removes what processes that are gone were bringing in. */
export async function sweepUnknown(folder: string, self: ProcessIdentity): Promise<void> {
  const left = (await readdir(folder).catch(() => [])).filter((name) => {
    const pid = Number(/^add\.([0-9]+)\./.exec(name)?.[1] ?? NaN);
    return pid === self.pid ? !filling.has(name) : pid > 0 && !self.isAlive(pid);
  });
  await Promise.allSettled(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

async function makeFolder({ folder, self }: UnknownOptions): Promise<string> {
  try {
    const made = await mkdtemp(join(folder, `add.${self.pid}.`));
    filling.add(basename(made));
    return made;
  } catch (error) {
    throw fileError(error, 'make a folder in', folder);
  }
}

async function receive(path: string, content: BorrowedStream, options: UnknownOptions): Promise<Landed> {
  const { limit = Infinity, room, tooLong = () => tooMany(limit), hashing, report } = options;
  const file = await open(path, 'ax');
  try {
    const hashes = new LandingHashes(hashing);
    report?.({ type: 'step', step: 'cache:ingest' });
    await land(file, content, {
      ...options,
      hashes,
      limit: Math.min(limit, room),
      tooLong: () => (room < limit ? noRoom(options.folder, room) : tooLong()),
    });
    const landed = await hashes.finish();
    report?.({ type: 'step', step: 'cache:landed' });
    return landed;
  } finally {
    await file.close();
  }
}

/** @param room bytes that there are */
export function noRoom(folder: string, room: number): AirgapError {
  return new AirgapError(
    'DISK_FULL',
    `a download has more than the ${room} bytes that there is room for in ${folder}`,
    {
      hint: 'Free space there, or name another folder with --cache. Where the server sends a file without end, fetch it by another way and name it by its "path".',
      details: { folder, room },
    },
  );
}

function tooMany(limit: number): AirgapError {
  return new AirgapError('REGISTRY_PROTOCOL', `more than ${limit} bytes where at most that many are accepted`);
}
