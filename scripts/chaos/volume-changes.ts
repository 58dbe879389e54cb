// What can happen to a set of volumes on its way: each change answers the files that arrive.
import { volumeName } from '../../src/bundle/volumes.ts';
import type { Seeded } from '../../test/support/seeded.ts';

export interface VolumeSet {
  /** The bundle in volumes of one size, at least two, the last one perhaps smaller. */
  readonly volumes: readonly Buffer[];
  /** Another bundle by the same key, cut the same way. */
  readonly other: readonly Buffer[];
}

/** Files by path below the media folder. */
export type Files = ReadonlyMap<string, Buffer>;

export type VolumeChange = (set: VolumeSet, random: Seeded) => Files;

const BUNDLE = 'site.tar';

export const volumeChanges = {
  missing: ({ volumes }, random) => {
    const files = filesOf(volumes);
    const lost = random.between(1, volumes.length - 1);
    for (let i = 0; i < lost; i++) files.delete(random.pick([...files.keys()]));
    return files;
  },
  swapped: ({ volumes }, random) => {
    const [a, b] = twoOf(volumes, random);
    return filesOf(volumes.with(a, at(volumes, b)).with(b, at(volumes, a)));
  },
  foreign: ({ volumes, other }, random) => {
    const index = random.below(volumes.length);
    const size = at(volumes, index).byteLength;
    const foreign = random.pick([other[index] ?? Buffer.alloc(size), random.bytes(size), Buffer.alloc(size)]);
    return filesOf(volumes.with(index, foreign));
  },
  'doubled in place of another': ({ volumes }, random) => {
    const [a, b] = twoOf(volumes, random);
    return filesOf(volumes.with(a, at(volumes, b)));
  },
  'doubled at the end': ({ volumes }, random) => filesOf([...volumes, random.pick(volumes)]),
  'twice under one number': ({ volumes, other }, random) => {
    const index = random.below(volumes.length);
    const again = random.pick([at(volumes, index), other[index] ?? Buffer.alloc(1)]);
    return filesOf(volumes).set(`more/${volumeName(BUNDLE, index + 1)}`, again);
  },
  truncated: ({ volumes }, random) => {
    const index = random.below(volumes.length);
    const volume = at(volumes, index);
    return filesOf(volumes.with(index, volume.subarray(0, random.below(volume.byteLength))));
  },
  extended: ({ volumes }, random) => {
    const index = random.below(volumes.length);
    const more = random.pick([Buffer.alloc(512), random.bytes(random.between(1, 600)), random.pick(volumes)]);
    return filesOf(volumes.with(index, Buffer.concat([at(volumes, index), more])));
  },
  'under another number': ({ volumes }, random) => {
    const number = random.between(1, volumes.length);
    const other = random.pick([0, random.between(volumes.length + 1, volumes.length + 900)]);
    return renamed(volumes, number, volumeName(BUNDLE, other));
  },
  'under another name': ({ volumes }, random) => {
    const number = random.between(1, volumes.length);
    const name = volumeName(BUNDLE, number);
    return renamed(
      volumes,
      number,
      random.pick([`${name}.bak`, `${name}.partial`, `old-${name}`, `${BUNDLE}.${number}`]),
    );
  },
} as const satisfies Record<string, VolumeChange>;

/** Whole, in volumes of `size` bytes. */
export function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

export function filesOf(volumes: readonly Buffer[]): Map<string, Buffer> {
  return new Map(volumes.map((bytes, i) => [volumeName(BUNDLE, i + 1), bytes]));
}

/** The bytes that the files make up when nothing is amiss with their names; undefined otherwise. */
export function joined(files: Files): Buffer | undefined {
  const names = [...files.keys()].sort();
  if (names.some((name, i) => name !== volumeName(BUNDLE, i + 1))) return undefined;
  return Buffer.concat(names.map((name) => files.get(name) ?? Buffer.alloc(0)));
}

function renamed(volumes: readonly Buffer[], number: number, name: string): Files {
  const files = filesOf(volumes);
  files.delete(volumeName(BUNDLE, number));
  return files.set(name, at(volumes, number - 1));
}

function twoOf(volumes: readonly Buffer[], random: Seeded): [number, number] {
  const a = random.below(volumes.length);
  return [a, (a + random.between(1, volumes.length - 1)) % volumes.length];
}

function at(volumes: readonly Buffer[], index: number): Buffer {
  const volume = volumes[index];
  if (!volume) throw new Error(`there is no volume ${index + 1}`);
  return volume;
}
