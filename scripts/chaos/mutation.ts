// The mutations of a bundle: case N of a seed is always the same one, and always differs from what was signed.
import { seeded, type Seeded } from '../../test/support/seeded.ts';
import type { RegionKind } from '../../test/support/regions.ts';
import { edits } from './edits.ts';
import { forgeries } from './forgeries.ts';
import { regionsOfKind, type Subject } from './subject.ts';
import { cut, filesOf, joined, volumeChanges, type Files } from './volume-changes.ts';

/** In turn: case N belongs to region N modulo 7, so that each has its equal part. */
export const REGIONS = ['manifest', 'signature', 'header', 'padding', 'body', 'trailer', 'volumes'] as const;

export type MutatedRegion = (typeof REGIONS)[number];

export interface Mutation {
  readonly number: number;
  readonly region: MutatedRegion;
  /** What was done. */
  readonly what: string;
  /** What arrives, by path below the media folder. */
  readonly files: Files;
  /** What of it is named on the command line; '' is the media folder. */
  readonly open: readonly string[];
  /** Whether whoever opens the bundle must refuse it: something else than the body of a blob differs. */
  readonly refusedAtOpen: boolean;
}

export function regionOf(number: number): MutatedRegion {
  return REGIONS[number % REGIONS.length] ?? 'body';
}

/** @param number from 0 on */
export function mutation(subject: Subject, seed: number, number: number): Mutation {
  const random = seeded(seed, number);
  const region = regionOf(number);
  for (let tries = 0; tries < 1000; tries++) {
    const drawn = region === 'volumes' ? volumes(subject, random) : oneFile(subject, random, region);
    const whole = joined(drawn.files) ?? drawn.files.get('site.tar');
    if (whole?.equals(subject.bytes) === true) continue; // nothing changed
    const refusedAtOpen = whole === undefined || differsOutsideBlobs(subject, whole);
    return { number, region, refusedAtOpen, ...drawn };
  }
  throw new Error(`no mutation of ${region} changes anything`);
}

type Drawn = Pick<Mutation, 'what' | 'files' | 'open'>;

/** Half of them know nothing of the format. */
function oneFile(subject: Subject, random: Seeded, kind: RegionKind): Drawn {
  const arrives = (what: string, bytes: Buffer): Drawn => ({ what, files: new Map([['site.tar', bytes]]), open: [''] });
  if (random.below(2) === 0) {
    const [what, forgery] = random.pick(Object.entries(forgeries[kind]));
    return arrives(what, forgery(subject, random));
  }
  const [what, edit] = random.pick(Object.entries(edits));
  return arrives(what, edit(subject.bytes, random.pick(regionsOfKind(subject, kind)), random));
}

function volumes({ bytes, other }: Subject, random: Seeded): Drawn {
  const size = random.between(Math.ceil(bytes.byteLength / 12), Math.ceil(bytes.byteLength / 2));
  const set = { volumes: cut(bytes, size), other: cut(other.bytes, size) };
  const [what, change] = random.pick(Object.entries(volumeChanges));
  const files = change(set, random);
  return { what, files, open: namesToOpen(files, filesOf(set.volumes)) };
}

/**
 * The folder, where all that is in it can be taken for the bundle. A volume that lost its name is passed over by naming one
 * that did not: two bundles in a folder are a question to the person, not damage.
 */
function namesToOpen(files: Files, whole: Files): string[] {
  const folders = [...new Set([...files.keys()].map((path) => path.split('/').slice(0, -1).join('/')))];
  const stray = [...files.keys()].some((name) => !/^(?:more\/)?site\.tar\.[0-9]{3}$/.test(name));
  const kept = [...files.keys()].find((name) => whole.has(name));
  return stray && kept !== undefined ? [kept] : folders.sort();
}

function differsOutsideBlobs({ bytes, geometry }: Subject, found: Buffer): boolean {
  if (found.byteLength !== bytes.byteLength) return true;
  const masked = Buffer.from(found);
  for (const { path, offset, size } of geometry.frames)
    if (path.startsWith('blobs/')) bytes.copy(masked, offset, offset, offset + size);
  return !masked.equals(bytes);
}
