// What changed since the lock or bundle that was named: a section of the page.
import { formatBytes } from '../../core/byte-count.ts';
import type { Digest } from '../../core/digest.ts';
import { plural } from '../../core/plural.ts';
import type { Item } from '../contents.ts';
import { FACETS, isEmpty, type Changes, type Difference, type Differences, type Facet } from '../difference.ts';
import type { Verified } from '../lock.ts';
import { html, table, type Html, type Part } from './html.ts';
import { vouchedInWords } from './vouched.ts';

export interface Since {
  /** The name of its file or folder. */
  readonly name: string;
  /** Of the bundle, or of the lock. */
  readonly digest: Digest;
  readonly difference: Difference;
}

/** Another image nearly always comes from another index, and has other signatures. */
const FOLLOWING: readonly Facet[] = ['original', 'accompanying'];

const WORDS: Readonly<Record<Facet, string>> = {
  digest: 'updated',
  original: 'other platforms upstream',
  platforms: 'other platforms carried',
  accompanying: 'other signatures or attestations',
  from: 'taken from elsewhere',
  verified: 'vouched for by something else',
};

export function changesSection(since: Since | undefined): Html {
  if (since === undefined)
    return html`<p>
      No earlier lock or bundle was named to compare with (<code>build --since</code>). Take everything on this page as
      new.
    </p>`;
  const { name, digest, difference } = since;
  const compared = html`<p>Compared with <bdi>${name}</bdi> <span class="digest">${digest}</span></p>`;
  if (difference.same)
    return html`${compared}
      <p>Nothing that has a name has changed.</p>`;
  return html`${compared}
    <p><strong>${countsOf(difference)}.</strong> ${carriedIn(difference)}</p>
    ${table({
      layout: 'changes',
      caption: 'Added, removed and changed',
      columns: [{ title: 'What' }, { title: 'Change' }, { title: 'Before' }, { title: 'Now' }],
      rows: [difference.images, difference.charts, difference.files].flatMap(rows),
    })}`;
}

/** `1 image added, 2 files changed`. */
function countsOf(difference: Difference): string {
  const kinds = { image: difference.images, chart: difference.charts, file: difference.files };
  return Object.entries(kinds)
    .filter(([, differences]) => !isEmpty(differences))
    .flatMap(([kind, differences]) =>
      (['added', 'removed', 'changed'] as const)
        .filter((how) => differences[how].length > 0)
        .map((how) => `${plural(differences[how].length, kind)} ${how}`),
    )
    .join(', ');
}

function carriedIn({ carry: { bytes, exact } }: Difference): string {
  return `New content: ${exact ? '' : 'at most '}${formatBytes(bytes)}.`;
}

function rows({ added, removed, changed }: Differences): Part[][] {
  return [
    ...added.map(({ name, digest }) => [named(name), 'added', '', digestCell(digest)]),
    ...removed.map(({ name, digest }) => [named(name), 'removed', digestCell(digest), '']),
    ...changed.flatMap(({ name, changes }) => facetsOf(changes).map((facet) => changedRow(name, facet, changes))),
  ];
}

function facetsOf(changes: Changes): Facet[] {
  const follows = (facet: Facet): boolean => changes.digest !== undefined && FOLLOWING.includes(facet);
  return FACETS.filter((facet) => changes[facet] !== undefined && !follows(facet));
}

function changedRow(name: string, facet: Facet, changes: Changes): Part[] {
  const change = changes[facet];
  return [named(name), WORDS[facet], cell(facet, change?.old), cell(facet, change?.new)];
}

function cell(facet: Facet, value: Item[Facet]): Part {
  if (facet === 'verified') return vouchedInWords(value as Verified);
  if (facet === 'accompanying') return plural((value as readonly Digest[]).length, 'item');
  return typeof value === 'string' ? digestCell(value) : (value as readonly string[]).join(', ');
}

function named(name: string): Html {
  return html`<span class="name">${name}</span>`;
}

function digestCell(text: string): Html {
  return html`<span class="digest">${text}</span>`;
}
