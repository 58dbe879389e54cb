// How much may still be written to a file system without filling it: other programs write there too.
import { statfs } from 'node:fs/promises';

/** Bytes that are left alone; on a small file system, a twentieth of it. */
const RESERVE = 256 * 1024 * 1024;

/** Bytes; Infinity where the file system does not say. */
export async function freeSpace(folder: string): Promise<number> {
  const found = await statfs(folder).catch(() => undefined);
  if (found === undefined || found.blocks === 0) return Infinity;
  const reserve = Math.min(RESERVE, (found.blocks * found.bsize) / 20);
  return Math.max(0, Math.floor(found.bavail * found.bsize - reserve));
}
