// A difference as a person reads it: a table for images, charts and files, then what it comes to.
import type { Digest } from '../core/digest.ts';
import { plural } from '../core/plural.ts';
import type { Item } from '../bundle/contents.ts';
import { FACETS, isEmpty, type Changes, type Difference, type Differences, type Facet } from '../bundle/difference.ts';
import { describeVerified } from '../bundle/lock.ts';
import { formatBytes } from './format.ts';
import { table, type Column, type Layout } from './table.ts';

const SECTIONS = [
  ['images', 'IMAGE'],
  ['charts', 'CHART'],
  ['files', 'FILE'],
] as const;

/** @param same what to say when nothing differs */
export function differenceLines(difference: Difference, same: string, layout: Layout): string[] {
  const sections = SECTIONS.filter(([section]) => !isEmpty(difference[section]));
  return [
    ...sections.flatMap(([section, heading]) => [...table(columnsFor(heading), rows(difference[section]), layout), '']),
    difference.same ? same : countsLine(difference),
    carryLine(difference),
  ];
}

function columnsFor(heading: string): Column[] {
  return [
    { heading, shorten: 'start' },
    { heading: 'WHAT' },
    { heading: 'OLD', shorten: 'end' },
    { heading: 'NEW', shorten: 'end' },
  ];
}

/** As --json has them, where a chart is one of the artifacts. */
export function differencesOf({ same, images, charts, files, carry }: Difference) {
  return { same, differences: { images, artifacts: charts, files }, carry };
}

/** `1 image added, 2 images changed`; empty when nothing differs. */
export function countsLine(difference: Difference): string {
  const counts = (['added', 'removed', 'changed'] as const).flatMap((how) =>
    SECTIONS.map(([section, heading]) => ({ how, heading, count: difference[section][how].length })),
  );
  return counts
    .filter(({ count }) => count > 0)
    .map(({ how, heading, count }) => `${plural(count, heading.toLowerCase())} ${how}`)
    .join(', ');
}

function carryLine({ carry: { bytes, exact, blobs = 0 } }: Difference): string {
  if (bytes === 0) return 'nothing to carry: the old one has every blob of the new one';
  return exact
    ? `to carry: ${formatBytes(bytes)} in ${plural(blobs, 'blob')} that the old one does not have`
    : `to carry: at most ${formatBytes(bytes)}`;
}

function rows({ added, removed, changed }: Differences): string[][] {
  const all = [
    ...added.map(({ name, digest }) => [name, 'added', '-', digest]),
    ...removed.map(({ name, digest }) => [name, 'removed', digest, '-']),
    ...changed.flatMap(({ name, changes }) =>
      FACETS.filter((facet) => changes[facet] !== undefined && !follows(facet, changes)).map((facet) => [
        name,
        facet,
        ...cellsOf(facet, changes),
      ]),
    ),
  ];
  return all.sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Another image nearly always comes from another index, and has other signatures. */
function follows(facet: Facet, changes: Changes): boolean {
  return changes.digest !== undefined && (facet === 'original' || facet === 'accompanying');
}

function cellsOf(facet: Facet, changes: Changes): string[] {
  const change = changes[facet];
  const { accompanying } = changes;
  if (facet !== 'accompanying' || accompanying === undefined) return [cell(change?.old), cell(change?.new)];
  const without = (all: readonly Digest[], others: readonly Digest[]): Digest[] => {
    const known = new Set(others);
    return all.filter((one) => !known.has(one));
  };
  return [cell(without(accompanying.old, accompanying.new)), cell(without(accompanying.new, accompanying.old))];
}

function cell(value: Item[Facet]): string {
  if (value === undefined || typeof value === 'string') return value ?? '-';
  return 'by' in value ? describeVerified(value) : value.join(',') || '-';
}
