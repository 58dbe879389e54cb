// Files of the store on disk: written whole under a name of their own first, and absent only when they are absent. Any
// other failure to read is an error, never a 404.
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileError, systemErrorCode } from '../../core/errors.ts';
import { ensureFolder, syncFolder, writeWholeFile } from '../../core/files.ts';

/** Makes a folder, with those above it, to stay. @throws IO_FAILED, DISK_FULL */
export async function makeFolder(path: string): Promise<void> {
  try {
    const first = await ensureFolder(path);
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  } catch (error) {
    throw fileError(error, 'make', path);
  }
}

/** Writes files by way of the folder `incoming`, so that two that write one path do not meet. */
export function fileWriter(incoming: string): (path: string, content: Uint8Array | string) => Promise<void> {
  return (path, content) => writeWholeFile(path, Buffer.from(content), { temporary: join(incoming, randomUUID()) });
}

/** Size in bytes; undefined when there is no such file. */
export async function fileSize(path: string): Promise<number | undefined> {
  return unlessAbsent(path, async () => (await stat(path)).size);
}

export async function isThere(path: string): Promise<boolean> {
  return (await fileSize(path)) !== undefined;
}

/** Undefined when there is no such file. For the small files of the store only. */
export async function readText(path: string): Promise<string | undefined> {
  return unlessAbsent(path, () => readFile(path, 'utf8'));
}

/** Names in a folder; none when there is no such folder. */
export async function namesIn(path: string): Promise<string[]> {
  return (await unlessAbsent(path, () => readdir(path))) ?? [];
}

/** Answers whether there was something to remove. */
export async function remove(path: string): Promise<boolean> {
  const done = await unlessAbsent(path, async () => {
    await rm(path);
    return true;
  });
  return done ?? false;
}

async function unlessAbsent<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read', path);
  }
}
