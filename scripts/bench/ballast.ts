// Memory for what is measured. A virtual machine may give memory that lies free back to its host, within seconds, and gets it
// again slowly: two seconds for a GiB that is written to files, where it takes half a second otherwise, for whoever needs it
// first. So nearly all free memory is held, as files in memory, which make room as fast as it is wanted.
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { inScratch } from '../scratch.ts';
import { MIB } from './image.ts';

const MEMORY_FILES = '/dev/shm';
const MEMORY_FACTS = '/proc/meminfo';
const FILE = 64 * MIB;
/** Free memory above which it is filled, and below which it makes room. */
const FILL_ABOVE = 1536 * MIB;
const MAKE_ROOM_BELOW = 1024 * MIB;
const LOOK_EVERY_MS = 5;

export interface Ballast {
  /** Holds what has become free, such as the memory of files that were removed. Takes half a second for a GiB. */
  fill(): void;
}

/** Runs a task while memory is held, where it is wanted and the system has files in memory. */
export async function withBallast<T>(wanted: boolean, task: (ballast?: Ballast) => Promise<T>): Promise<T> {
  if (!wanted || !(await isPossible())) return task();
  return inScratch(MEMORY_FILES, 'eck-airgap-bench-', async (folder) => {
    const files: string[] = [];
    let made = 0;
    const fill = (): void => {
      while (freeMemory() > FILL_ABOVE) {
        const file = join(folder, String(made++));
        writeZeros(file);
        files.push(file);
      }
    };
    const makeRoom = (): void => {
      for (let file; freeMemory() < MAKE_ROOM_BELOW && (file = files.pop()) !== undefined;) rmSync(file);
    };
    const timer = setInterval(makeRoom, LOOK_EVERY_MS);
    try {
      return await task({ fill });
    } finally {
      clearInterval(timer);
    }
  });
}

async function isPossible(): Promise<boolean> {
  try {
    await Promise.all([access(MEMORY_FILES), access(MEMORY_FACTS)]);
    return true;
  } catch {
    return false;
  }
}

/** Bytes that nothing uses, not even the page cache. */
function freeMemory(): number {
  return 1024 * Number(/^MemFree:\s+([0-9]+) kB$/m.exec(readFileSync(MEMORY_FACTS, 'utf8'))?.[1]);
}

function writeZeros(file: string): void {
  const zeros = Buffer.alloc(MIB);
  const descriptor = openSync(file, 'wx');
  try {
    for (let left = FILE; left > 0; left -= MIB) writeSync(descriptor, zeros);
  } finally {
    closeSync(descriptor);
  }
}
