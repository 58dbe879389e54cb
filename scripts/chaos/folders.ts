// What lies in folders after a kill and after the run that went on: which files are what they should be, and what was left.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOfStream, hexOf } from '../../src/core/digest.ts';
import { borrowFileRange } from '../../src/core/named-file.ts';

/** Names that say of themselves that a file is not finished. */
const UNFINISHED = /\.(?:partial|lock|tmp)$/;

/** sha256 of each file that has a final name, by name; empty where there is no such folder. */
export async function finalFiles(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder).catch(() => []);
  const final = names.filter((name) => !UNFINISHED.test(name));
  return new Map(await Promise.all(final.map(async (name) => [name, await sha256(join(folder, name))] as const)));
}

/** Files with a final name that are not those of the reference, and with `all` also those that are missing. */
export async function wrongFiles(
  folder: string,
  reference: ReadonlyMap<string, string>,
  { all }: { all: boolean },
): Promise<string[]> {
  const found = await finalFiles(folder);
  const wrong = [...found]
    .filter(([name, hash]) => reference.get(name) !== hash)
    .map(([name]) => `${name} is not whole`);
  const missing = [...reference.keys()].filter((name) => all && !found.has(name)).map((name) => `${name} is missing`);
  return [...wrong, ...missing];
}

/** Blobs of a cache that have not the digest they are named by. */
export async function wrongBlobs(cache: string): Promise<string[]> {
  const found = await finalFiles(join(cache, 'blobs', 'sha256'));
  return [...found].filter(([name, hash]) => name !== hash).map(([name]) => `the cached blob ${name} is not whole`);
}

/** Unfinished files below a folder, and whatever is still coming into a cache. */
export async function leftovers(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && (UNFINISHED.test(entry.name) || entry.parentPath.endsWith('/ingest')))
    .map((entry) => `${join(entry.parentPath, entry.name).slice(root.length + 1)} was left`);
}

/** Says so when a file is not this text; with `orNone` it may be absent, too. */
export async function otherThan(
  text: string,
  folder: string,
  name: string,
  { orNone = false }: { orNone?: boolean } = {},
): Promise<string[]> {
  const found = await readText(folder, name);
  return found === text || (orNone && found === undefined) ? [] : [`${name} is not that of the undisturbed run`];
}

/** Undefined when there is no such file. */
export async function readText(folder: string, name: string): Promise<string | undefined> {
  return readFile(join(folder, name), 'utf8').catch(() => undefined);
}

async function sha256(path: string): Promise<string> {
  return hexOf((await digestOfStream(borrowFileRange(path))).digest);
}
