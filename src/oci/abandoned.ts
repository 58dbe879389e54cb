// What processes that were killed leave among what comes into the cache, and nobody resumes: locks, and files of their own. A
// blob that is half there under its own name is not swept: the next run resumes it.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../core/errors.ts';
import { isHeld, type ProcessIdentity } from '../core/file-lock.ts';

/** @throws IO_FAILED */
export async function sweepAbandoned(folder: string, self: ProcessIdentity): Promise<void> {
  try {
    for (const name of await readdir(folder))
      if (await isAbandoned(join(folder, name), name, self)) await rm(join(folder, name), { force: true });
  } catch (error) {
    throw fileError(error, 'tidy', folder);
  }
}

async function isAbandoned(path: string, name: string, self: ProcessIdentity): Promise<boolean> {
  if (name.endsWith('.lock')) return !(await isHeld(path, self));
  const pid = Number(/^[0-9a-f]{64}\.([0-9]+)$/.exec(name)?.[1] ?? self.pid);
  return pid !== self.pid && !self.isAlive(pid);
}
