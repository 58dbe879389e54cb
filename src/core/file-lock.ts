// Advisory locks between processes: a file that names the process that holds it. A lock whose process is gone is taken
// over. What a lock protects here is checked by digest as well, so a lock only saves work, never correctness.
import { open, rm } from 'node:fs/promises';
import { fileError, isAirgapError, systemErrorCode } from './errors.ts';
import { openWritten } from './output-file.ts';

/** A process id and an end of line have fewer bytes. */
const LONGEST = 32;

export interface ProcessIdentity {
  readonly pid: number;
  /** Whether a process of this machine runs under that id. */
  isAlive(pid: number): boolean;
}

/**
 * Takes the lock and answers how to release it, or undefined when another live process holds it. A lock with this
 * process's own id was left by an earlier one: in containers every process has the same.
 * @throws PATH_INVALID where a link, a folder or a pipe has the name, IO_FAILED
 */
export async function tryLock(path: string, self: ProcessIdentity): Promise<(() => Promise<void>) | undefined> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(`${self.pid}\n`);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw fileError(error, 'lock', path);
      if (await isHeld(path, self)) return undefined;
      await rm(path, { force: true });
    }
  }
  return undefined;
}

/** Whether another live process holds the lock. */
export async function isHeld(path: string, self: ProcessIdentity): Promise<boolean> {
  const pid = Number((await readLock(path)).trim());
  // a holder that was killed between creating and writing the file left it empty
  return Number.isSafeInteger(pid) && pid > 0 && pid !== self.pid && self.isAlive(pid);
}

/** The beginning: a file that is no lock may be of any size. */
async function readLock(path: string): Promise<string> {
  try {
    const file = await openWritten(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST), 0, LONGEST, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isAirgapError(error, 'PATH_INVALID')) throw error;
    return ''; // it is gone, or another user's
  }
}
