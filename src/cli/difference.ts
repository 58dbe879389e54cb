// A difference as a person reads it: a table for images, charts and files, then what it comes to.
import { FACETS, isEmpty, type Changes, type Difference, type Differences, type Facet } from '../bundle/difference.ts';
import { describeVerified } from '../bundle/lock.ts';
import { formatBytes, plural, table } from './format.ts';

const SECTIONS = { images: 'IMAGE', charts: 'CHART', files: 'FILE' } as const;

/** @param same what to say when nothing differs */
export function differenceLines(difference: Difference, same: string): string[] {
  const sections = Object.entries(SECTIONS).flatMap(([section, heading]) => {
    const differences = difference[section as keyof typeof SECTIONS];
    return isEmpty(differences) ? [] : [...table([[heading, 'WHAT', 'OLD', 'NEW'], ...rows(differences)]), ''];
  });
  return [...sections, difference.same ? same : countsLine(difference), carryLine(difference)];
}

/** `2 images changed, 1 file added`; empty when nothing differs. */
export function countsLine(difference: Difference): string {
  const counts = (['added', 'removed', 'changed'] as const).flatMap((how) =>
    Object.entries(SECTIONS).flatMap(([section, heading]) => {
      const { length } = difference[section as keyof typeof SECTIONS][how];
      return length === 0 ? [] : [`${plural(length, heading.toLowerCase())} ${how}`];
    }),
  );
  return counts.join(', ');
}

function carryLine({ carry: { bytes, exact, blobs = 0 } }: Difference): string {
  if (exact && blobs === 0) return 'nothing to carry: the old one has every blob of the new one';
  if (exact) return `to carry: ${formatBytes(bytes)} in ${plural(blobs, 'blob')} that the old one does not have`;
  return `to carry: at most ${formatBytes(bytes)}`;
}

function rows({ added, removed, changed }: Differences): string[][] {
  return [
    ...added.map(({ name, digest }) => ({ name, cells: ['added', '-', digest] })),
    ...removed.map(({ name, digest }) => ({ name, cells: ['removed', digest, '-'] })),
    ...changed.flatMap(({ name, changes }) =>
      FACETS.filter((facet) => changes[facet] !== undefined && !follows(facet, changes)).map((facet) => {
        return { name, cells: [facet, ...cellsOf(facet, changes)] };
      }),
    ),
  ]
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ name, cells }) => [name, ...cells]);
}

/** Another image nearly always comes from another index, and has other signatures. */
function follows(facet: Facet, changes: Changes): boolean {
  return changes.digest !== undefined && (facet === 'original' || facet === 'accompanying');
}

function cellsOf(facet: Facet, changes: Changes): string[] {
  const { verified, accompanying } = changes;
  if (facet === 'verified' && verified) return [describeVerified(verified.old), describeVerified(verified.new)];
  if (facet === 'accompanying' && accompanying) {
    const without = (all: readonly string[], others: readonly string[]): string =>
      all.filter((one) => !others.includes(one)).join(',') || '-';
    return [without(accompanying.old, accompanying.new), without(accompanying.new, accompanying.old)];
  }
  return [changes[facet]?.old, changes[facet]?.new].map((value) => String(value ?? '') || '-');
}
