// A bundle that some other program unpacked: regular files at the fixed paths of its entries. What else lies in the folder is
// never looked at.
import { lstat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AirgapError, fileError, isAirgapError } from '../core/errors.ts';
import { MOST_OPEN_FILES } from '../core/open-files.ts';
import { Semaphore } from '../core/pool.ts';
import { readFully } from '../core/streams.ts';
import { damaged } from './damage.ts';
import { MANIFEST_PATH } from './geometry.ts';
import { BUNDLE_MANIFEST_LIMIT, MAX_SIGNATURE_SLOTS, type BundleManifest } from './manifest.ts';
import type { Front, Medium } from './medium.ts';
import { openRegularFile } from './regular-file.ts';
import { SLOT_SIZE, slotPath } from './slots.ts';

/** Folders that entries lie in. */
const FOLDERS = ['blobs', 'blobs/sha256'];

export async function isUnpacked(path: string): Promise<boolean> {
  return isThere(join(path, MANIFEST_PATH));
}

export function folderMedium(folder: string): Medium {
  const turns = new Semaphore(MOST_OPEN_FILES);
  return {
    readFront: () => readFront(folder),
    checkFrames: (front, manifest, signal) => checkFiles(folder, { front, manifest, signal }),
    readBody: (path, start, buffer) => turns.run(() => readBody(join(folder, path), start, buffer)),
    spans: (path, start, length) => [{ path: join(folder, path), offset: start, length }],
    close: () => Promise.resolve(),
  };
}

function readBody(path: string, start: number, buffer: Buffer): Promise<Buffer> {
  return withFile(path, async ({ file }) => {
    try {
      return await readFully(file, buffer, start);
    } catch (error) {
      throw fileError(error, 'read', path);
    }
  });
}

async function readFront(folder: string): Promise<Front> {
  const manifest = await readSmall(folder, MANIFEST_PATH, BUNDLE_MANIFEST_LIMIT);
  const slots = [await readSmall(folder, slotPath(0), SLOT_SIZE)];
  while (slots.length < MAX_SIGNATURE_SLOTS && (await isThere(join(folder, slotPath(slots.length)))))
    slots.push(await readSmall(folder, slotPath(slots.length), SLOT_SIZE));
  return { manifest, slots };
}

interface Unpacked {
  readonly front: Front;
  readonly manifest: BundleManifest;
  readonly signal: AbortSignal | undefined;
}

async function checkFiles(folder: string, { front, manifest, signal }: Unpacked): Promise<void> {
  if (front.slots.length < manifest.signatureSlots) throw missing(join(folder, slotPath(front.slots.length)));
  if (front.slots.length > manifest.signatureSlots) {
    throw damaged('the number of signature slots', [
      { path: join(folder, slotPath(manifest.signatureSlots)), offset: 0, length: SLOT_SIZE },
    ]);
  }
  for (const path of FOLDERS) await checkFolder(join(folder, path));
  for (const entry of manifest.entries) {
    signal?.throwIfAborted();
    const path = join(folder, entry.path);
    const size = await withFile(path, (opened) => Promise.resolve(opened.size));
    if (size === entry.size) continue;
    throw new AirgapError('BUNDLE_CORRUPT', `${path} has ${size} bytes where ${entry.size} were signed`, {
      details: { region: entry.path, file: path, expected: entry.size, found: size },
    });
  }
}

async function readSmall(folder: string, path: string, limit: number): Promise<Buffer> {
  return withFile(join(folder, path), async ({ file, size }) => {
    if (size > limit) throw damaged(path, [{ path: join(folder, path), offset: limit, length: size - limit }]);
    return readFully(file, Buffer.allocUnsafeSlow(size), 0);
  });
}

async function withFile<T>(path: string, use: (opened: { file: FileHandle; size: number }) => Promise<T>): Promise<T> {
  const opened = await openRegularFile(path, { followLinks: false }).catch((error: unknown) => {
    throw isAirgapError(error, 'FILE_NOT_FOUND') ? missing(path, error) : error;
  });
  try {
    return await use(opened);
  } finally {
    await opened.file.close();
  }
}

/** A link in place of a folder would lead the reader elsewhere. */
async function checkFolder(path: string): Promise<void> {
  const info = await lstat(path).catch((error: unknown) => {
    const failure = fileError(error, 'read', path);
    throw isAirgapError(failure, 'FILE_NOT_FOUND') ? missing(path, error) : failure;
  });
  if (!info.isDirectory())
    throw new AirgapError('BUNDLE_CORRUPT', `${path} is not a folder`, { details: { file: path } });
}

function missing(path: string, cause?: unknown): AirgapError {
  return new AirgapError('BUNDLE_INCOMPLETE', `${path} is missing from the unpacked bundle`, {
    cause,
    hint: 'Unpack the whole bundle again, or read its tar, which needs no unpacking.',
    details: { file: path },
  });
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
