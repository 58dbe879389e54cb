// A bundle as one file or as numbered raw volumes (`cat` joins them again), spread over any folders. Order comes from the
// number; what is missing, foreign or cut short is named.
import { open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AirgapError, fileError, systemErrorCode } from '../core/errors.ts';
import { readFully, scratch } from '../core/streams.ts';

const VOLUME = /^(.+\.tar)\.([0-9]{3,})$/;
const MIN_VOLUME = 1024 * 1024;
/** The largest file on FAT32 has 4 GiB − 1; a little less divides evenly. */
const FAT32_VOLUME = 4 * 1024 ** 3 - 64 * 1024;
const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** `4G` (which means what fits FAT32), `700M`, `1048576`. @throws USAGE */
export function parseVolumeSize(text: string): number {
  const [, digits, unit = ''] = /^([0-9]{1,15})(?:([KMGT])(?:iB|B)?)?$/.exec(text) ?? [];
  const size = unit === 'G' && digits === '4' ? FAT32_VOLUME : Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (Number.isSafeInteger(size) && size >= MIN_VOLUME) return size;
  throw new AirgapError('USAGE', `not a volume size: ${JSON.stringify(text.slice(0, 50))}`, {
    hint: 'Write bytes or K, M, G of at least 1M: 4G fits FAT32, 700M a CD.',
  });
}

/** `site.tar.001`; more digits above 999. */
export function volumeName(fileName: string, number: number): string {
  return `${fileName}.${String(number).padStart(3, '0')}`;
}

/** File names of a bundle of `size` bytes. */
export function volumeNames(fileName: string, size: number, volumeSize: number | undefined): string[] {
  if (volumeSize === undefined) return [fileName];
  return Array.from({ length: Math.ceil(size / volumeSize) }, (_, i) => volumeName(fileName, i + 1));
}

export interface Volume {
  readonly path: string;
  readonly size: number;
  readonly file: FileHandle;
}

export interface VolumeSet {
  readonly volumes: readonly Volume[];
  /** Whether the files are numbered volumes, not one tar. */
  readonly numbered: boolean;
  readonly size: number;
  /** The bytes of a range; fewer only at the end. They are read into `into`, when it is given and large enough. */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
  /** `file at byte n`, for messages. */
  locate(position: number): string;
  close(): Promise<void>;
}

/** @param paths the tar, volumes, or folders that hold them. @throws VOLUME_MISSING, FILE_NOT_FOUND, CONFIG_INVALID, BUNDLE_CORRUPT */
export async function openVolumes(paths: readonly string[]): Promise<VolumeSet> {
  const found = await findVolumes(paths);
  const volumes: Volume[] = [];
  try {
    for (const path of found.paths) volumes.push(await openVolume(path));
  } catch (error) {
    await closeAll(volumes);
    throw error;
  }
  const starts: number[] = [];
  let size = 0;
  for (const volume of volumes) {
    starts.push(size);
    size += volume.size;
  }
  const indexAt = (position: number): number => {
    const after = starts.findIndex((start) => start > position);
    return after < 0 ? volumes.length - 1 : after - 1;
  };
  return {
    volumes,
    numbered: found.numbered,
    size,
    read: (position, length, into) =>
      readAcross(volumes, { starts, first: indexAt(position) }, { position, length, into }),
    locate: (position) => {
      const index = indexAt(Math.max(0, position));
      return `${volumes[index]?.path ?? ''} at byte ${position - (starts[index] ?? 0)}`;
    },
    close: () => closeAll(volumes),
  };
}

interface Range {
  readonly position: number;
  readonly length: number;
  readonly into: Buffer | undefined;
}

async function readAcross(
  volumes: readonly Volume[],
  at: { starts: readonly number[]; first: number },
  range: Range,
): Promise<Buffer> {
  const buffer = scratch(range.into, range.length);
  let filled = 0;
  for (let index = at.first; index < volumes.length && filled < range.length; index++) {
    const volume = volumes[index];
    if (!volume) break;
    const within = range.position + filled - (at.starts[index] ?? 0);
    const part = buffer.subarray(filled, filled + Math.min(range.length - filled, Math.max(0, volume.size - within)));
    try {
      filled += (await readFully(volume.file, part, within)).byteLength;
    } catch (error) {
      throw fileError(error, 'read', volume.path);
    }
  }
  return buffer.subarray(0, filled);
}

async function findVolumes(paths: readonly string[]): Promise<{ paths: string[]; numbered: boolean }> {
  const candidates = new Map<string, string>();
  for (const path of paths) for (const file of await filesAt(path)) candidates.set(file, file);
  const files = [...candidates.values()];
  const names = [...new Set(files.map((file) => VOLUME.exec(basename(file))?.[1] ?? basename(file)))];
  if (files.length === 0) {
    throw new AirgapError('FILE_NOT_FOUND', `there is no bundle (NAME.tar or NAME.tar.001) in ${paths.join(', ')}`);
  }
  if (names.length > 1) {
    throw new AirgapError('CONFIG_INVALID', `there are several bundles: ${names.sort().join(', ')}`, {
      hint: 'Name the one that is meant, by its tar or first volume.',
    });
  }
  const numbered = files.filter((file) => VOLUME.test(basename(file)));
  if (numbered.length === 0) return { paths: files, numbered: false };
  if (numbered.length < files.length) {
    throw new AirgapError('CONFIG_INVALID', `${names[0] ?? ''} is there both whole and in volumes`, {
      hint: 'Name the tar itself, or remove one of the two.',
    });
  }
  return { paths: inOrder(numbered), numbered: true };
}

/** By number, each once, without a gap. */
function inOrder(files: readonly string[]): string[] {
  const byNumber = new Map<number, string>();
  for (const file of files) {
    const number = Number(VOLUME.exec(basename(file))?.[2]);
    const other = byNumber.get(number);
    if (other !== undefined)
      throw new AirgapError('BUNDLE_CORRUPT', `volume ${number} is there twice: ${other} and ${file}`);
    byNumber.set(number, file);
  }
  const last = Math.max(...byNumber.keys());
  const missing = Array.from({ length: last }, (_, i) => i + 1).filter((number) => !byNumber.has(number));
  if (missing.length > 0) throw missingVolumes(missing, files[0] ?? '');
  return [...byNumber].sort(([a], [b]) => a - b).flatMap(([number, file]) => (number === 0 ? [] : [file]));
}

export function missingVolumes(numbers: readonly number[], example: string): AirgapError {
  const shown = numbers.slice(0, 10).join(', ') + (numbers.length > 10 ? `, … (${numbers.length} in all)` : '');
  const name = VOLUME.exec(basename(example))?.[1] ?? basename(example);
  return new AirgapError('VOLUME_MISSING', `${name}: volume ${shown} is missing`, {
    hint: 'Put all volumes into one folder, or name every folder that holds some.',
    details: { missing: numbers.slice(0, 1000) },
  });
}

/** A file stands for itself and, when it is a volume, for the others beside it; a folder for the bundle in it. */
async function filesAt(path: string): Promise<string[]> {
  const info = await statOf(path);
  if (info.isDirectory())
    return (await listFolder(path))
      .filter((name) => name.endsWith('.tar') || VOLUME.test(name))
      .map((name) => join(path, name));
  const base = VOLUME.exec(basename(path))?.[1];
  if (base === undefined) return [path];
  return (await listFolder(dirname(path)))
    .filter((name) => VOLUME.exec(name)?.[1] === base)
    .map((name) => join(dirname(path), name));
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    throw fileError(error, 'list', path);
  }
}

async function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>>> {
  try {
    return await stat(path);
  } catch (error) {
    // the first volume that was named may be the very one that is missing
    const volume = VOLUME.exec(basename(path));
    if (volume && systemErrorCode(error) === 'ENOENT') throw missingVolumes([Number(volume[2])], path);
    throw fileError(error, 'read', path);
  }
}

async function openVolume(path: string): Promise<Volume> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const info = await file.stat();
    if (info.isFile()) return { path, size: info.size, file };
  } catch (error) {
    await file?.close();
    throw fileError(error, 'read', path);
  }
  await file.close();
  throw new AirgapError('CONFIG_INVALID', `${path} is not a regular file`);
}

async function closeAll(volumes: readonly Volume[]): Promise<void> {
  await Promise.all(volumes.map((volume) => volume.file.close()));
}
