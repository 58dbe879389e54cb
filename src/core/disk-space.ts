// What is free where files are to be written, and how large a file may be there. Nothing depends on it but what is said, and
// refused, early: where the system gives no number, none is known.
import type { StatsFs } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemErrorCode } from './errors.ts';

export interface DiskSpace {
  /** Equal for two paths on one file system. */
  readonly device: number;
  /** Bytes that this account can still write. */
  readonly free: number;
  /** Bytes of the largest file, where that is less than a bundle may have. */
  readonly largestFile?: number;
}

/** Of the file system that a path is on, or will be on when it is made. */
export type SpaceAt = (path: string) => Promise<DiskSpace | undefined>;

/** The type of FAT12, FAT16 and FAT32 in Linux. */
const FAT = 0x4d44;
const FAT_LARGEST_FILE = 2 ** 32 - 1;

export const spaceAt: SpaceAt = async (path) => {
  try {
    const { dev } = await stat(path);
    const found = await sizeOf(path);
    if (found === undefined) return undefined;
    const { bavail, bsize, type } = found;
    return { device: dev, free: bavail * bsize, ...(type === FAT ? { largestFile: FAT_LARGEST_FILE } : {}) };
  } catch (error) {
    const above = dirname(resolve(path));
    return systemErrorCode(error) === 'ENOENT' && above !== path ? spaceAt(above) : undefined;
  }
};

/** Bytes that are left alone, since other programs write there too; on a small file system, a twentieth of it. */
const RESERVE = 256 * 1024 * 1024;

/** Bytes that may still be written in a folder without filling its file system; Infinity where that is not known. */
export async function freeSpace(folder: string): Promise<number> {
  const found = await sizeOf(folder).catch(() => undefined);
  if (found === undefined) return Infinity;
  const reserve = Math.min(RESERVE, (found.blocks * found.bsize) / 20);
  return Math.max(0, Math.floor(found.bavail * found.bsize - reserve));
}

/** Undefined where a file system says that it has no blocks, as some network file systems do. */
async function sizeOf(path: string): Promise<StatsFs | undefined> {
  const found = await statfs(path);
  return found.blocks === 0 ? undefined : found;
}
