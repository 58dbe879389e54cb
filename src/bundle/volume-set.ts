// The files of a bundle as one run of bytes. What the sizes alone tell is checked here, before a byte is read: volumes that
// are missing between others, and volumes that were cut or belong elsewhere.
import { AirgapError, fileError } from '../core/errors.ts';
import { OpenFiles } from '../core/open-files.ts';
import { readFully } from '../core/streams.ts';
import { openRegularFile } from './regular-file.ts';
import { findBundle, type FoundBundle } from './volume-search.ts';
import { missingVolumes, MISSING_KEPT, type MissingVolume } from './volumes.ts';

interface Volume {
  readonly path: string;
  /** Offset in the bundle. */
  readonly start: number;
  readonly size: number;
}

/** A range of one file. */
export interface Span {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

export interface VolumeSet {
  readonly size: number;
  /** Fills `buffer` from `position`; the answer is shorter only at the end. @throws IO_FAILED */
  read(position: number, buffer: Buffer): Promise<Buffer>;
  /** Where a range lies; what is beyond the end is counted to the last file. */
  spans(position: number, length: number): Span[];
  /** What is wrong when `expected` bytes should be there: VOLUME_MISSING or BUNDLE_CORRUPT. */
  lengthError(expected: number): AirgapError;
  close(): Promise<void>;
}

/** @param paths the tar, volumes, or folders that hold them. @throws VOLUME_MISSING, FILE_NOT_FOUND, CONFIG_INVALID, BUNDLE_CORRUPT */
export async function openVolumes(paths: readonly string[]): Promise<VolumeSet> {
  const found = await findBundle(paths);
  const open = new OpenFiles<string>({
    open: async (path) => (await openRegularFile(path, { followLinks: true })).file,
  });
  const volumes: Volume[] = [];
  try {
    let start = 0;
    for (const { path } of found.files) {
      const { size } = await open.use(path, (file) => file.stat());
      volumes.push({ path, start, size });
      start += size;
    }
    checkSizes(found, volumes);
  } catch (error) {
    await open.close();
    throw error;
  }
  return volumeSet(found, volumes, open);
}

function volumeSet(found: FoundBundle, volumes: readonly Volume[], open: OpenFiles<string>): VolumeSet {
  const last = volumes.at(-1);
  const spans = (position: number, length: number): Span[] =>
    volumes.flatMap((volume) => {
      const from = Math.max(position, volume.start);
      const end = volume === last ? Number.POSITIVE_INFINITY : volume.start + volume.size;
      const to = Math.min(position + length, end);
      return from < to ? [{ path: volume.path, offset: from - volume.start, length: to - from }] : [];
    });
  return {
    size: last ? last.start + last.size : 0,
    read: async (position, buffer) => {
      let filled = 0;
      for (const { path, offset, length } of spans(position, buffer.byteLength)) {
        try {
          const into = buffer.subarray(filled, filled + length);
          const part = await open.use(path, (file) => readFully(file, into, offset));
          filled += part.byteLength;
          if (part.byteLength < length) break;
        } catch (error) {
          throw fileError(error, 'read', path);
        }
      }
      return buffer.subarray(0, filled);
    },
    spans,
    lengthError: (expected) => lengthError(found, volumes, expected),
    close: () => open.close(),
  };
}

/** All volumes but the last have one size, and the last is not larger; so a set needs no list of its parts. */
function checkSizes({ name, files }: FoundBundle, volumes: readonly Volume[]): void {
  const last = volumes.at(-1);
  if (!last || files[0]?.number === undefined) return;
  const size = mostCommon(volumes.slice(0, -1).map((volume) => volume.size));
  const missing = gaps(files.map((file) => file.number ?? 0)).map((number): MissingVolume => ({ number, size }));
  if (missing.length > 0) throw missingVolumes(name, missing.slice(0, MISSING_KEPT), missing.length);
  const odd = volumes.find(
    (volume) =>
      volume.size === 0 || (size !== undefined && (volume === last ? volume.size > size : volume.size !== size)),
  );
  if (!odd) return;
  throw new AirgapError(
    'BUNDLE_CORRUPT',
    `${odd.path} has ${odd.size} bytes${size === undefined ? '' : ` where a volume of this bundle has ${size}`}: it was cut short, or belongs to another bundle`,
    { hint: 'Carry this volume over again.', details: { file: odd.path, expected: size, found: odd.size } },
  );
}

/** Numbers from 1 on that are not in an ascending list. */
function gaps(numbers: readonly number[]): number[] {
  const have = new Set(numbers);
  return Array.from({ length: numbers.at(-1) ?? 0 }, (_, i) => i + 1).filter((number) => !have.has(number));
}

/** Of equally common ones the larger: a volume is more often cut short than grown. */
function mostCommon(sizes: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || b - a)[0]?.[0];
}

function lengthError({ name, files }: FoundBundle, volumes: readonly Volume[], expected: number): AirgapError {
  const [first, last] = [volumes[0], volumes.at(-1)];
  const size = last ? last.start + last.size : 0;
  const details = { file: last?.path, expected, found: size };
  const hint = `Carry ${last?.path ?? name} over again.`;
  if (size > expected)
    return new AirgapError(
      'BUNDLE_CORRUPT',
      `${last?.path ?? name} is longer than what was signed by ${size - expected} bytes`,
      { hint, details },
    );
  if (files[0]?.number === undefined || !first || first.size !== last?.size)
    return new AirgapError('BUNDLE_CORRUPT', `${last?.path ?? name} is cut short by ${expected - size} bytes`, {
      hint,
      details,
    });
  // a set that lacks its last volumes; a single volume that was cut short looks the same
  const count = Math.ceil((expected - size) / first.size);
  const missing = Array.from({ length: Math.min(count, MISSING_KEPT) }, (_, i) => ({
    number: volumes.length + i + 1,
    size: Math.min(first.size, expected - size - i * first.size),
  }));
  return missingVolumes(name, missing, count);
}
