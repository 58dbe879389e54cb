// The folder that a bundle is written to: what an earlier build left there, and what is somebody else's. Recognised is only
// what SHA256SUMS lists, and what begins as a bundle does; nothing of it is trusted, it only says what may be replaced.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AirgapError, fileError, isAirgapError, systemErrorCode } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import { openWritten, refuseOtherThanFile } from '../core/output-file.ts';
import { readFully } from '../core/streams.ts';
import { isInstallerName } from '../core/program.ts';
import { parseSums } from '../signing/sums.ts';
import { MANIFEST_PATH } from './geometry.ts';
import { BUNDLE_MANIFEST_LIMIT, type BundleInstaller } from './manifest.ts';
import { BLOCK, claimedSize, tarHeader } from './tar.ts';
import { parseVolumeName, volumeName } from './volumes.ts';

export const SUMS_FILE = 'SHA256SUMS';
export const SUMS_SIGNATURE_FILE = 'SHA256SUMS.sig';
export const README_FILE = 'README.txt';
export const TRANSFER_FILE = 'transfer.html';

const TEXTS = [README_FILE, TRANSFER_FILE];
/** A list of more is not one of ours. */
export const SUMS_LIMIT = 1024 * 1024;

export interface WantedMedia {
  readonly folder: string;
  /** `<name>.tar` */
  readonly fileName: string;
  /** Digest of the lock; enough to know the bundle by before it is packed. */
  readonly lock: Digest;
  /** bundle.json, once it is known. */
  readonly manifest?: Uint8Array;
  readonly installers: BundleInstaller[];
  /** Whether what an earlier build left may go. */
  readonly replace: boolean;
}

export interface MediaFolder {
  /** What an earlier build says it wrote: name to sum. */
  readonly listed: ReadonlyMap<string, string>;
  /** Files of a bundle of another name, which has to go first. */
  readonly others: readonly string[];
}

/**
 * What is there already, where that is the same bundle, or may be replaced, or nothing.
 * @throws FILE_EXISTS for what is somebody else's, and without `replace` for another build; PATH_INVALID for links
 */
export async function claimMedia(wanted: WantedMedia): Promise<MediaFolder> {
  const names = await namesIn(wanted.folder);
  const listed = await listedIn(wanted.folder, names);
  if (names.includes(MANIFEST_PATH)) throw foreign(wanted.folder, MANIFEST_PATH, 'belongs to an unpacked bundle');
  const others: string[] = [];
  let resumed = false;
  for (const { fileName, files } of bundlesIn(names)) {
    const claim = await claimBundle({ fileName, files, listed }, wanted);
    if (claim === 'other') others.push(...files);
    else resumed = true;
  }
  const missing = [...listed.keys()].map(bundleFileOf).find((name) => name !== undefined && name !== wanted.fileName);
  if (missing !== undefined && !wanted.replace) throw otherBuild(wanted.folder, missing);
  for (const name of names) await claimCompanion(name, { listed, resumed }, wanted);
  return { listed, others };
}

/** Names that SHA256SUMS lists and a build may have written; what else a list names is not touched. */
export function isMediaName(name: string): boolean {
  return isInstallerName(name) || TEXTS.includes(name) || (bundleFileOf(name) !== undefined && !/[/\\]/.test(name));
}

interface FoundBundle {
  readonly fileName: string;
  readonly files: readonly string[];
  readonly listed: ReadonlyMap<string, string>;
}

async function claimBundle(found: FoundBundle, wanted: WantedMedia): Promise<'same' | 'other'> {
  const { fileName, files, listed } = found;
  const head = await headOf(wanted.folder, fileName, files);
  const [first = fileName] = files;
  if (head === undefined && !files.every((name) => listed.has(name)))
    throw foreign(wanted.folder, first, 'is not of a bundle that was built here');
  if (fileName === wanted.fileName && head !== undefined && isSame(head, wanted)) return 'same';
  if (!wanted.replace) throw otherBuild(wanted.folder, first);
  return fileName === wanted.fileName ? 'same' : 'other';
}

function isSame(head: Buffer, { manifest, lock, fileName }: WantedMedia): boolean {
  if (manifest) return head.equals(manifest);
  try {
    const said = JSON.parse(head.toString('utf8')) as { name?: unknown; lock?: unknown };
    return `${String(said.name)}.tar` === fileName && said.lock === lock;
  } catch {
    return false;
  }
}

/** What lies beside a bundle: where nothing lists it, it may still be what a build wrote that was interrupted. */
async function claimCompanion(
  name: string,
  { listed, resumed }: { listed: ReadonlyMap<string, string>; resumed: boolean },
  { folder, installers }: WantedMedia,
): Promise<void> {
  const installer = installers.find((candidate) => candidate.name === name);
  const ours = [SUMS_FILE, SUMS_SIGNATURE_FILE, ...TEXTS].includes(name);
  if (!ours && installer === undefined) return;
  await refuseOtherThanFile(join(folder, name));
  if (listed.has(name) || (ours && (listed.size > 0 || resumed))) return;
  if (installer && (await hasSize(join(folder, name), installer.size))) return; // its bytes are compared when it is placed
  throw foreign(folder, name, 'was not written by a build');
}

/** Folders are no matter: nothing is written into them, and none is taken for a bundle. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    return found.flatMap((entry) => (entry.isDirectory() ? [] : [entry.name])).sort();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw fileError(error, 'list', folder);
  }
}

/** Empty where there is no list. @throws FILE_EXISTS for a list that no build wrote */
async function listedIn(folder: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (!names.includes(SUMS_FILE)) return new Map();
  const text = await readSmall(join(folder, SUMS_FILE));
  const lines = text === undefined ? undefined : parseSums(text);
  const listed = new Map(lines?.map(({ name, sha256 }) => [name, sha256]));
  const bundles = new Set([...listed.keys()].map(bundleFileOf).filter((name) => name !== undefined));
  if (TEXTS.every((name) => listed.has(name)) && bundles.size === 1) return listed;
  throw foreign(folder, SUMS_FILE, 'was not written by a build');
}

/** `site.tar` of a bundle or a volume of it; hidden files are none. */
export function bundleFileOf(name: string): string | undefined {
  if (name.startsWith('.')) return undefined;
  return parseVolumeName(name)?.bundle ?? (name.endsWith('.tar') ? name : undefined);
}

/** A tar, and the volumes of one, are two bundles even if they have one name. */
function bundlesIn(names: readonly string[]): { fileName: string; files: string[] }[] {
  const found = new Map<string, { fileName: string; files: string[] }>();
  for (const name of names) {
    const fileName = bundleFileOf(name);
    if (fileName === undefined) continue;
    const key = `${fileName === name ? 'whole' : 'volumes'} ${fileName}`;
    found.set(key, { fileName, files: [...(found.get(key)?.files ?? []), name] });
  }
  return [...found.values()];
}

/**
 * bundle.json as the tar, or its first volumes, have it; undefined for what does not begin as a bundle. While volumes get their
 * final names, the first ones are still `.partial`.
 */
async function headOf(folder: string, fileName: string, files: readonly string[]): Promise<Buffer | undefined> {
  const order = files.toSorted((a, b) => numberOf(a) - numberOf(b));
  const before = Math.max(0, numberOf(order[0] ?? fileName) - 1);
  const unnamed = Array.from({ length: before }, (_, i) => `${volumeName(fileName, i + 1)}.partial`);
  try {
    return await readHead([...unnamed, ...order].map((name) => join(folder, name)));
  } catch (error) {
    if (isAirgapError(error, 'FILE_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** 0 for what is no volume. */
function numberOf(name: string): number {
  return parseVolumeName(name)?.number ?? 0;
}

async function readHead(paths: readonly string[]): Promise<Buffer | undefined> {
  const header = await readAcross(paths, 0, BLOCK);
  if (header.byteLength < BLOCK) return undefined;
  const size = claimedSize(header);
  if (size < 0 || size > BUNDLE_MANIFEST_LIMIT || !header.equals(tarHeader(MANIFEST_PATH, size))) return undefined;
  const head = await readAcross(paths, BLOCK, size);
  return head.byteLength === size ? head : undefined;
}

/** A range of files that follow each other; shorter where they end. */
async function readAcross(paths: readonly string[], start: number, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let [position, left] = [start, length];
  for (const path of paths) {
    if (left === 0) break;
    const file = await openWritten(path);
    try {
      const { size } = await file.stat();
      const take = Math.max(0, Math.min(left, size - position));
      if (take > 0) parts.push(await readFully(file, Buffer.alloc(take), position));
      position = Math.max(0, position - size);
      left -= take;
    } finally {
      await file.close();
    }
  }
  return Buffer.concat(parts);
}

async function readSmall(path: string): Promise<string | undefined> {
  const file = await openWritten(path);
  try {
    const { size } = await file.stat();
    return size > SUMS_LIMIT ? undefined : (await readFully(file, Buffer.alloc(size), 0)).toString('utf8');
  } finally {
    await file.close();
  }
}

async function hasSize(path: string, size: number): Promise<boolean> {
  const file = await openWritten(path);
  try {
    return (await file.stat()).size === size;
  } finally {
    await file.close();
  }
}

function foreign(folder: string, name: string, why: string): AirgapError {
  return new AirgapError('FILE_EXISTS', `${join(folder, name)} ${why}, and is not replaced`, {
    hint: 'Name a folder of its own with --out, or move that file away.',
    details: { file: join(folder, name) },
  });
}

function otherBuild(folder: string, name: string): AirgapError {
  return new AirgapError('FILE_EXISTS', `${join(folder, name)} is of another bundle, or of another build of this one`, {
    hint: 'Name another folder with --out, or pass --replace to put the new bundle in its place.',
    details: { file: join(folder, name), replaceable: true },
  });
}
