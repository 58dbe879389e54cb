// Finding the files of one bundle: from the tar, any of its volumes, or the folders that hold them. Two bundles in one place
// are never mixed, nor guessed between.
import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AirgapError, fileError, systemErrorCode } from '../core/errors.ts';
import { readFully } from '../core/streams.ts';
import { MANIFEST_PATH } from './geometry.ts';
import { openRegularFile } from './regular-file.ts';
import { isBundleName, missingVolumes, parseVolumeName } from './volumes.ts';

export interface FoundFile {
  readonly path: string;
  /** From 1 for a volume; undefined for an unsplit tar. */
  readonly number: number | undefined;
}

export interface FoundBundle {
  /** `site.tar` */
  readonly name: string;
  /** The tar alone, or volumes by number, each number once, some perhaps missing. */
  readonly files: readonly FoundFile[];
}

/** @throws FILE_NOT_FOUND, VOLUME_MISSING (the very file that was named), CONFIG_INVALID, NOT_A_BUNDLE, BUNDLE_CORRUPT */
export async function findBundle(paths: readonly string[]): Promise<FoundBundle> {
  const candidates = new Map<string, FoundFile & { bundle: string }>();
  for (const path of paths) {
    for (const file of await filesAt(path)) {
      const { bundle, number } = parseVolumeName(basename(file)) ?? { bundle: basename(file), number: undefined };
      candidates.set(resolve(file), { path: file, number, bundle });
    }
  }
  const files = [...candidates.values()];
  const names = [...new Set(files.map(({ bundle }) => bundle))].sort();
  const [name] = names;
  if (name === undefined) {
    throw new AirgapError('FILE_NOT_FOUND', `there is no bundle (NAME.tar or NAME.tar.001) in ${paths.join(', ')}`);
  }
  if (names.length > 1) throw ambiguous(`there are several bundles: ${names.join(', ')}`, names);
  const whole = files.filter(({ number }) => number === undefined).map(({ path }) => path);
  if (whole.length > 1) throw ambiguous(`${name} is there more than once: ${whole.join(', ')}`, whole);
  if (whole.length === 1 && files.length > 1) throw ambiguous(`${name} is there both whole and in volumes`, whole);
  return { name, files: inOrder(files) };
}

function ambiguous(message: string, found: readonly string[]): AirgapError {
  return new AirgapError('CONFIG_INVALID', message, {
    hint: 'Name the one that is meant, by its tar or first volume.',
    details: { found },
  });
}

/** By number, each once. */
function inOrder(files: readonly FoundFile[]): FoundFile[] {
  const byNumber = new Map<number, FoundFile>();
  for (const file of files) {
    const number = file.number ?? 1;
    if (number === 0) {
      throw new AirgapError('BUNDLE_CORRUPT', `${file.path} is no volume of a bundle: volumes are numbered from 001`);
    }
    const other = byNumber.get(number);
    if (other) {
      throw new AirgapError('BUNDLE_CORRUPT', `volume ${number} is there twice: ${other.path} and ${file.path}`, {
        hint: 'Keep one of them.',
        details: { found: [other.path, file.path] },
      });
    }
    byNumber.set(number, file);
  }
  return [...byNumber].sort(([a], [b]) => a - b).map(([, file]) => file);
}

/** A file stands for itself and, when it is a volume, for the others beside it; a folder for the bundle in it. */
async function filesAt(path: string): Promise<string[]> {
  if ((await statOf(path)).isDirectory()) return bundleFilesIn(path);
  const bundle = parseVolumeName(basename(path))?.bundle;
  if (bundle !== undefined) {
    const beside = (await bundleFilesIn(dirname(path))).filter(
      (file) => parseVolumeName(basename(file))?.bundle === bundle,
    );
    return [...new Set([...beside, path])]; // a hidden one is meant when it is named
  }
  if (!isBundleName(basename(path))) await requireBeginning(path);
  return [path];
}

/**
 * Tars and volumes in a folder, by name. Hidden files are none (macOS leaves `._NAME` beside each file on FAT and exFAT), nor
 * are folders of such a name.
 */
export async function bundleFilesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await list(folder)) {
    const { name } = entry;
    if (name.startsWith('.') || !isBundleName(name)) continue;
    const path = join(folder, name);
    const leads = entry.isSymbolicLink() && (await stat(path).catch(() => undefined))?.isDirectory() === true;
    if (!entry.isDirectory() && !leads) found.push(path);
  }
  return found.sort();
}

/**
 * A bundle may have any name, when it is named itself. What has another name than a bundle's and does not begin as one never
 * was one; what is called NAME.tar and does not is damaged.
 */
async function requireBeginning(path: string): Promise<void> {
  if (await beginsAsBundle(path)) return;
  throw new AirgapError('NOT_A_BUNDLE', `${path} is not a bundle`, {
    hint: 'Name the media folder, NAME.tar or its first volume, NAME.tar.001.',
    details: { file: path },
  });
}

async function beginsAsBundle(path: string): Promise<boolean> {
  if (!(await statOf(path)).isFile()) return false;
  const { file } = await openRegularFile(path, { followLinks: true });
  try {
    const name = Buffer.from(`${MANIFEST_PATH}\0`);
    return (await readFully(file, Buffer.alloc(name.byteLength), 0)).equals(name);
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    await file.close();
  }
}

async function list(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw fileError(error, 'list', folder);
  }
}

async function statOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    // the volume that was named may be the very one that is missing
    const volume = parseVolumeName(basename(path));
    if (volume && systemErrorCode(error) === 'ENOENT') throw missingVolumes(volume.bundle, [{ number: volume.number }]);
    throw fileError(error, 'read', path);
  }
}
