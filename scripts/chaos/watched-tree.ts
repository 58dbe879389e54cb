// A folder tree in which nothing may change but one output folder.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What is there, by path below the root: content and time of last change of a file. */
export type Snapshot = ReadonlyMap<string, string>;

/** @param except a folder directly below the root */
export async function snapshot(root: string, except?: string): Promise<Snapshot> {
  const found = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    if (name === except || (except !== undefined && name.startsWith(`${except}/`))) continue;
    found.set(name, entry.isFile() ? await describe(path) : 'no file');
  }
  return found;
}

/** A line for each path that was made, changed or removed. */
export function differences(before: Snapshot, after: Snapshot): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].sort().flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === is) return [];
    return was === undefined
      ? [`${path} was made`]
      : is === undefined
        ? [`${path} was removed`]
        : [`${path} was changed`];
  });
}

async function describe(path: string): Promise<string> {
  const { mtimeMs, mode } = await stat(path);
  const hash = createHash('sha256').update(await readFile(path));
  return `${mtimeMs} ${mode} ${hash.digest('hex')}`;
}
