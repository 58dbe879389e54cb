// What takes long to make and is the same in every run: made once, kept in the project's cache.
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere } from '../../src/core/files.ts';
import { cacheFolder } from './tools.ts';

/**
 * The folder kept under a name; `make` makes it where it is not there yet. Change the name when what is made changes.
 * @param make gets the folder to make, and one for what it needs meanwhile
 */
export async function keptFolder(name: string, make: (folder: string, work: string) => Promise<void>): Promise<string> {
  const kept = join(cacheFolder, 'interop', name);
  if (await isThere(kept)) return kept;
  await mkdir(join(cacheFolder, 'interop'), { recursive: true });
  const work = await mkdtemp(join(cacheFolder, 'interop', 'making-'));
  try {
    await make(join(work, 'made'), work);
    await rename(join(work, 'made'), kept);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return kept;
}
