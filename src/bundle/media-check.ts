// What lies beside a bundle on the media, for `verify`: installers by the manifest, texts by SHA256SUMS once its signature is
// checked. What is missing, and what nothing lists, is named; what differs is refused. The bundle itself is verify.ts.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { digestOfStream } from '../core/digest.ts';
import { AirgapError, fileError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { isInstallerName } from '../core/program.ts';
import { nameAt } from '../core/output-file.ts';
import { borrowRange, readFully } from '../core/streams.ts';
import type { PublicKey } from '../signing/public-key.ts';
import { verifySignature } from '../signing/signature.ts';
import { parseSums } from '../signing/sums.ts';
import { isUnpacked } from './folder-medium.ts';
import type { BundleManifest } from './manifest.ts';
import { bundleFileOf, SUMS_FILE, SUMS_LIMIT, SUMS_SIGNATURE_FILE } from './media-folder.ts';
import { openRegularFile } from './regular-file.ts';

export interface CheckMediaOptions extends Activity {
  /** One of them must have signed SHA256SUMS. */
  readonly keys: readonly PublicKey[];
}

export interface MediaState {
  /** Installers that lie there and are those that were signed. */
  readonly installers: readonly string[];
  /** Other files that are as SHA256SUMS lists them. */
  readonly listed: readonly string[];
  /** What the manifest or SHA256SUMS lists and is not there. */
  readonly missing: readonly string[];
  /** What lies in a media folder and nothing lists. */
  readonly unlisted: readonly string[];
}

/**
 * @param paths as for `openBundle`; beside a tar that is named by itself, only what lists it counts as its media folder
 * @throws BUNDLE_CORRUPT naming the file that differs, SIGNATURE_INVALID for a SHA256SUMS that no key signed
 */
export async function checkMedia(
  { installers }: Pick<BundleManifest, 'installers'>,
  paths: readonly string[],
  options: CheckMediaOptions,
): Promise<MediaState> {
  const folders = await foldersOf(paths, options);
  const wanted = new Map(installers.map(({ name, digest }): [string, string] => [name, digest]));
  const found = await checkFiles(wanted, folders, options.signal);
  const sums = new Map(folders.flatMap((folder) => [...(folder.sums ?? [])]).filter(([name]) => !wanted.has(name)));
  // the bytes of the bundle are checked against its own signature
  const others = new Map([...sums].filter(([name]) => bundleFileOf(name) === undefined));
  const listed = await checkFiles(others, folders, options.signal);
  const names = new Set(folders.flatMap((folder) => folder.names));
  return {
    installers: found,
    listed,
    missing: [...wanted.keys(), ...sums.keys()].filter((name) => !names.has(name)),
    unlisted: unlistedIn(folders, new Set([...wanted.keys(), ...sums.keys()])),
  };
}

interface Folder {
  readonly path: string;
  /** Whether it holds this bundle and nothing else, as far as anybody knows. */
  readonly isMedia: boolean;
  readonly names: readonly string[];
  /** What its SHA256SUMS lists; undefined where there is none. */
  readonly sums: ReadonlyMap<string, string> | undefined;
}

async function foldersOf(paths: readonly string[], options: CheckMediaOptions): Promise<Folder[]> {
  const named = new Map<string, string | undefined>();
  for (const path of paths) {
    const isFolder = (await stat(path)).isDirectory();
    if (isFolder && !(await isUnpacked(path))) named.set(resolve(path), undefined);
    if (!isFolder && !named.has(dirname(resolve(path)))) named.set(dirname(resolve(path)), basename(path));
  }
  return Promise.all([...named].map(([path, file]) => readFolder(path, file, options)));
}

/** @param file the file of the bundle that was named in its place */
async function readFolder(path: string, file: string | undefined, options: CheckMediaOptions): Promise<Folder> {
  const names = await list(path);
  if (!names.includes(SUMS_FILE)) return { path, isMedia: file === undefined, names, sums: undefined };
  const bytes = await readSmall(join(path, SUMS_FILE));
  const lines = parseSums(bytes.toString('latin1'));
  if (file !== undefined && lines?.some(({ name }) => name === file) !== true)
    return { path, isMedia: false, names, sums: undefined }; // another bundle's
  await checkSumsSignature(path, bytes, options.keys);
  if (lines === undefined) throw differs(join(path, SUMS_FILE), 'is not a list of sums');
  const sums = new Map(lines.map(({ name, sha256 }): [string, string] => [name, `sha256:${sha256}`]));
  return { path, isMedia: true, names, sums };
}

async function list(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => `${entry.name}${entry.isDirectory() ? '/' : ''}`).sort();
  } catch (error) {
    throw fileError(error, 'list', path);
  }
}

async function checkSumsSignature(folder: string, sums: Buffer, keys: readonly PublicKey[]): Promise<void> {
  const path = join(folder, SUMS_SIGNATURE_FILE);
  const there = (await nameAt(path)) !== undefined;
  const signature = there ? (await readSmall(path)).toString('latin1').replace(/\n$/, '') : '';
  if (keys.some((key) => verifySignature(key, sums, signature))) return;
  const why = there ? 'was not signed with this key' : `has no signature (${SUMS_SIGNATURE_FILE})`;
  throw new AirgapError('SIGNATURE_INVALID', `${join(folder, SUMS_FILE)} ${why}`, {
    hint: 'Run nothing from this media, and believe no text on it. Carry it over again.',
    details: { file: join(folder, SUMS_FILE) },
  });
}

/** Names of those that are there. */
async function checkFiles(
  wanted: ReadonlyMap<string, string>,
  folders: readonly Folder[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const found = new Set<string>();
  for (const [name, digest] of wanted) {
    for (const { path, names } of folders) {
      if (!names.includes(name) && !names.includes(`${name}/`)) continue;
      await checkFile(join(path, name), digest, signal);
      found.add(name);
    }
  }
  return [...found];
}

async function checkFile(path: string, expected: string, signal: AbortSignal | undefined): Promise<void> {
  const { file } = await openRegularFile(path, { followLinks: false });
  try {
    const { digest } = await digestOfStream(borrowRange(file, { signal }));
    const kind = isInstallerName(basename(path)) ? 'installer' : 'file';
    if (digest !== expected) throw differs(path, `is not the ${kind} that was signed`, { expected, found: digest });
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    await file.close();
  }
}

function unlistedIn(folders: readonly Folder[], known: ReadonlySet<string>): string[] {
  const names = folders.flatMap(({ isMedia, names, sums }) => {
    if (!isMedia) return [];
    return names.filter((name) => sums !== undefined || bundleFileOf(name) === undefined);
  });
  const own = [SUMS_FILE, SUMS_SIGNATURE_FILE];
  return [...new Set(names)].filter((name) => !known.has(name) && !own.includes(name)).sort();
}

async function readSmall(path: string): Promise<Buffer> {
  const { file, size } = await openRegularFile(path, { followLinks: false });
  try {
    if (size > SUMS_LIMIT) throw differs(path, `is larger than ${SUMS_LIMIT} bytes`);
    return await readFully(file, Buffer.alloc(size), 0);
  } finally {
    await file.close();
  }
}

function differs(path: string, why: string, found: Readonly<Record<string, unknown>> = {}): AirgapError {
  return new AirgapError('BUNDLE_CORRUPT', `${path} ${why}`, {
    hint: 'Do not run or believe it. Carry it over again, and check it with the commands on the trust card.',
    details: { region: path, ...found },
  });
}
