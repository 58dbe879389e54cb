// Files that are there whole or not at all: written under a temporary name, synced, then renamed. Folders, with those above.
import { link, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AirgapError, fileError } from './errors.ts';

export interface WriteFileOptions {
  /** Permission bits; 0o644 by default. */
  readonly mode?: number;
  /** Where it is written first, in the same folder; `<path>.tmp` by default. Two processes that may write one path need two. */
  readonly temporary?: string;
  /** False for what may be lost when the machine stops: syncing waits for whatever else is being written to the disk. */
  readonly durable?: boolean;
  /** Fail with FILE_EXISTS where the name is taken, be it since a moment ago. */
  readonly isNew?: boolean;
}

/**
 * Replaces `path` by a file of these bytes. A crash leaves the old file or the new one, and at most one temporary file
 * that the next write of the same path takes over. Nothing is written through a link: the name itself is replaced.
 * @throws DISK_FULL, IO_FAILED, FILE_NOT_FOUND (no such folder), FILE_EXISTS (`isNew`)
 */
export async function writeWholeFile(path: string, bytes: Uint8Array, options: WriteFileOptions = {}): Promise<void> {
  const { temporary = `${path}.tmp`, durable = true, isNew = false, mode = 0o644 } = options;
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(bytes);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await (isNew ? giveNewName(temporary, path) : rename(temporary, path));
    if (durable) await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, 'write', path);
  }
}

/** Two processes cannot both have the name. */
async function giveNewName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (await isThere(path))
      throw new AirgapError('FILE_EXISTS', `${path} is already there`, { cause: error, hint: 'Name another place.' });
    // FAT and some network file systems have no second names
    return rename(temporary, path);
  }
  await rm(temporary);
}

export interface EnsureFolderOptions {
  /** Permission bits of each folder that is made; 0o777 less the umask by default. */
  readonly mode?: number;
}

/**
 * Makes a folder, with those above it; one that is there already is left as it is. Returns the first that was made.
 * @throws IO_FAILED, DISK_FULL, FILE_NOT_FOUND, FILE_EXISTS (a file has its name), PATH_INVALID (a file lies above it)
 */
export async function ensureFolder(path: string, options: EnsureFolderOptions = {}): Promise<string | undefined> {
  try {
    let first: string | undefined;
    for (const folder of await missingFolders(resolve(path))) if (await makeFolder(folder, options)) first ??= folder;
    return first;
  } catch (error) {
    throw fileError(error, 'make', path);
  }
}

/**
 * The folders to make, the uppermost first. Each is made by itself: mkdir's own recursion says ENOENT on a read-only file system, and
 * never ends in one that does not let folders be made (/proc).
 */
async function missingFolders(path: string): Promise<string[]> {
  const missing = [path];
  for (let above = dirname(path); above !== dirname(above) && !(await isThere(above)); above = dirname(above))
    missing.unshift(above);
  return missing;
}

/** False where it is there already, be it that somebody else made it a moment ago. */
async function makeFolder(path: string, options: EnsureFolderOptions): Promise<boolean> {
  try {
    await mkdir(path, options);
    return true;
  } catch (error) {
    // EROFS, EACCES and others may be said of a folder that is there
    if (await isFolder(path)) return false;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Whether something has the name, be it a link that leads nowhere. */
export async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Makes renames in a folder durable; where folders cannot be synced (Windows) there is nothing to do. */
export async function syncFolder(path: string): Promise<void> {
  let folder;
  try {
    folder = await open(path, 'r');
    await folder.sync();
  } catch {
    // EISDIR, EPERM, EINVAL: this file system does not sync folders
  } finally {
    await folder?.close();
  }
}
