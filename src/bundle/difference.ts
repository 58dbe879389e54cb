// What one lock or bundle holds that another does not: a pure function of the contents of both (contents.ts).
import { isDeepStrictEqual } from 'node:util';
import type { Contents, Item } from './contents.ts';

/** What of a thing is compared. */
export const FACETS = ['digest', 'original', 'platforms', 'accompanying', 'from', 'verified'] as const;
export type Facet = (typeof FACETS)[number];

/** What differs of something that both have. What one of them does not know is no difference. */
export type Changes = {
  readonly [F in Facet]?: { readonly old: NonNullable<Item[F]>; readonly new: NonNullable<Item[F]> };
};

export interface Named extends Item {
  readonly name: string;
}

export interface Changed {
  readonly name: string;
  readonly changes: Changes;
}

/** Each list by name. */
export interface Differences {
  readonly added: readonly Named[];
  readonly removed: readonly Named[];
  readonly changed: readonly Changed[];
}

/** What must be carried to where the old one is. */
export interface Carry {
  /** Bytes of the blobs that the new one has and the old one has not; where that is not `exact`, at most. */
  readonly bytes: number;
  readonly exact: boolean;
  /** How many blobs that are, where it is exact. */
  readonly blobs?: number;
}

export interface Difference {
  /** Nothing that has a name differs. */
  readonly same: boolean;
  readonly images: Differences;
  readonly charts: Differences;
  readonly files: Differences;
  readonly carry: Carry;
}

export function differenceOf(old: Contents, now: Contents): Difference {
  const images = differences(old.images, now.images, (item) => item.artifact !== true);
  const charts = differences(old.images, now.images, (item) => item.artifact === true);
  const files = differences(old.files, now.files, () => true);
  const same = [images, charts, files].every(isEmpty);
  return { same, images, charts, files, carry: carry(old, now, [images, charts, files]) };
}

export function isEmpty({ added, removed, changed }: Differences): boolean {
  return added.length + removed.length + changed.length === 0;
}

type Items = ReadonlyMap<string, Item>;

/** @param among which things are meant, by what they are now, or were last */
function differences(old: Items, now: Items, among: (item: Item) => boolean): Differences {
  const named = [...new Map([...old, ...now])]
    .filter(([, item]) => among(item))
    .map(([name, item]): Named => ({ name, ...item }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    added: named.filter(({ name }) => !old.has(name)),
    removed: named.filter(({ name }) => !now.has(name)),
    changed: named.flatMap(({ name }) => {
      const changes = changesOf(old.get(name), now.get(name));
      return Object.keys(changes).length === 0 ? [] : [{ name, changes }];
    }),
  };
}

function changesOf(old: Item | undefined, now: Item | undefined): Changes {
  const changed = FACETS.filter((facet) => {
    const [before, after] = [old?.[facet], now?.[facet]];
    return before !== undefined && after !== undefined && !isDeepStrictEqual(before, after);
  });
  return Object.fromEntries(changed.map((facet) => [facet, { old: old?.[facet], new: now?.[facet] }]));
}

function carry(old: Contents, now: Contents, differing: readonly Differences[]): Carry {
  const { blobs } = now;
  if (blobs === undefined || old.blobs === undefined) return { bytes: carriedAtMost(now, differing), exact: false };
  const absent = [...blobs].filter(([digest]) => old.blobs?.has(digest) !== true);
  return { bytes: sum(absent.map(([, size]) => size)), exact: true, blobs: absent.length };
}

/** All of what is new or has other content, as if it shared nothing; and never more than there is. */
function carriedAtMost(now: Contents, differing: readonly Differences[]): number {
  const things = new Map([...now.images, ...now.files]);
  const unknown = [Number.POSITIVE_INFINITY];
  const sizes = differing
    .flatMap(({ added, changed }) => [...added, ...changed.filter(hasOtherContent)])
    .map(({ name }) => things.get(name)?.size ?? Number.POSITIVE_INFINITY);
  return Math.min(sum(sizes), sum([...(now.blobs?.values() ?? unknown)]));
}

function hasOtherContent({ changes }: Changed): boolean {
  return (changes.digest ?? changes.original ?? changes.accompanying) !== undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
