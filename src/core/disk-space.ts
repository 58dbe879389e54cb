// What is free where files are to be written, and how large a file may be there. Nothing depends on it but what is said, and
// refused, early: where the system gives no number, none is known.
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
    const { bavail, bsize, blocks, type } = await statfs(path);
    if (blocks === 0) return undefined; // as some network file systems say
    return { device: dev, free: bavail * bsize, ...(type === FAT ? { largestFile: FAT_LARGEST_FILE } : {}) };
  } catch (error) {
    const above = dirname(resolve(path));
    return systemErrorCode(error) === 'ENOENT' && above !== path ? spaceAt(above) : undefined;
  }
};
