// How a bundle is split: raw volumes of one size (`cat` joins them again), named by their number. Finding them is in
// volume-search.ts, reading them as one in volume-set.ts.
import { AirgapError } from '../core/errors.ts';

const NUMBERED = /^(.+\.tar)\.([0-9]{3,6})$/;
const MOST_VOLUMES = 999_999;
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

/** `site.tar.001`; from 1000 on as many digits as it has. */
export function volumeName(fileName: string, number: number): string {
  return `${fileName}.${String(number).padStart(3, '0')}`;
}

/** File names of a bundle of `size` bytes. @throws USAGE for more than can be numbered */
export function volumeNames(fileName: string, size: number, volumeSize: number | undefined): string[] {
  if (volumeSize === undefined) return [fileName];
  const count = Math.ceil(size / volumeSize);
  if (count > MOST_VOLUMES)
    throw new AirgapError('USAGE', `${fileName} would have ${count} volumes; there can be ${MOST_VOLUMES}`, {
      hint: `Take volumes of at least ${Math.ceil(size / MOST_VOLUMES / MIN_VOLUME)}M.`,
    });
  return Array.from({ length: count }, (_, i) => volumeName(fileName, i + 1));
}

export interface VolumeName {
  /** `site.tar` */
  readonly bundle: string;
  readonly number: number;
}

/** What a file name says, or undefined when it is not the name of a volume. */
export function parseVolumeName(name: string): VolumeName | undefined {
  const [, bundle, digits] = NUMBERED.exec(name) ?? [];
  return bundle === undefined ? undefined : { bundle, number: Number(digits) };
}

/** Whether a file of this name is meant to be a bundle, or a volume of one. */
export function isBundleName(name: string): boolean {
  return name.endsWith('.tar') || parseVolumeName(name) !== undefined;
}

export interface MissingVolume {
  readonly number: number;
  /** Bytes, where it is known. */
  readonly size?: number | undefined;
}

/** Volumes named in a message; details hold up to a thousand. */
const SHOWN = 10;
export const MISSING_KEPT = 1000;

/**
 * @param missing the first of them, at most MISSING_KEPT
 * @param count how many are missing in all
 */
export function missingVolumes(bundle: string, missing: readonly MissingVolume[], count = missing.length): AirgapError {
  const shown = missing
    .slice(0, SHOWN)
    .map(({ number, size }) => (size === undefined ? `${number}` : `${number} (${size} bytes)`));
  const more = count > SHOWN ? `, … (${count} in all)` : '';
  const [noun, verb] = count === 1 ? ['volume', 'is'] : ['volumes', 'are'];
  return new AirgapError('VOLUME_MISSING', `${bundle}: ${noun} ${shown.join(', ')}${more} ${verb} missing`, {
    hint: 'Put all volumes into one folder, or name every folder that holds some.',
    details: { bundle, missing: missing.slice(0, MISSING_KEPT), count },
  });
}
