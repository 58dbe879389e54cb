// The closure proof as a person reads it: a table for each setting, and what is missing.
import type { BundleClosure } from '../install/closure.ts';
import type { ProvenImage, SettingProof } from '../catalog/proof.ts';
import { markedTable, type Column, type Layout, type Line } from './table.ts';

const HEADINGS: Readonly<Record<SettingProof['setting'], string>> = {
  'container-registry': 'container-registry: images keep their paths (load)',
  'container-repository':
    'container-repository elastic: images below one path (load --flatten elastic; any other name does the same)',
};

const COLUMNS: readonly Column[] = [
  { heading: 'PRESENT', shorten: 'end' },
  { heading: 'IMAGE', shorten: 'start' },
  { heading: 'PLATFORMS', shorten: 'end' },
  { heading: 'NEEDED BY', shorten: 'end' },
];

export function closureLines(closure: BundleClosure, layout: Layout): (string | Line)[] {
  return [...closure.settings.flatMap((proof) => ['', ...settingLines(proof, layout)]), '', ...endLines(closure)];
}

function settingLines({ setting, images, collisions }: SettingProof, layout: Layout): (string | Line)[] {
  const rows = images.map((one) => [presence(one), one.image, one.platforms.join(',') || '-', one.neededBy.join(', ')]);
  return [
    HEADINGS[setting],
    ...markedTable(COLUMNS, rows, { ...layout, isWrong: ([cell = '']) => cell.startsWith('NO') }),
    `${images.filter(isThere).length} of ${images.length} there as they are named`,
    ...images.flatMap(({ image, pushedAs }) =>
      pushedAs === undefined
        ? []
        : [`${image}: load puts it there as ${pushedAs}, cut to its platforms; name that digest in what needs it`],
    ),
    ...collisions.map((collision) => `refused: ${collision}`),
  ];
}

function isThere({ present, pushedAs }: ProvenImage): boolean {
  return present && pushedAs === undefined;
}

function presence({ present, named, pushedAs, platformsMissing }: ProvenImage): string {
  if (present && pushedAs !== undefined) return 'NOT as named';
  if (present) return named === 'given' ? 'yes, named' : 'yes';
  return platformsMissing.length === 0 ? 'NO' : `NO: ${platformsMissing.join(', ')}`;
}

/** "complete" stands alone only where nothing is left to say. */
function endLines({ eck, settings, missing, unread }: BundleClosure): string[] {
  if (missing.length > 0) return [];
  const derived = eck === undefined ? '' : `that ECK ${eck} derives and every image `;
  const refused = settings.filter(({ collisions }) => collisions.length > 0).map(({ setting }) => setting);
  const but = refused.length === 0 ? '' : `; ${refused.join(' and ')} is refused as long as two images have one name`;
  const all = `every image ${derived}that is named is there, for every platform${but}`;
  const renamed = settings.flatMap(({ images }) => images).filter(({ pushedAs }) => pushedAs !== undefined);
  const names = [...new Set(renamed.map(({ source }) => source))];
  if (names.length > 0)
    return [
      `not complete as it is named: ${names.join(', ')} will be there by another digest; name that one in what asks for it, or take "platforms: all"`,
      ...unreadLines(unread),
    ];
  return unread.length === 0
    ? [`complete: ${all}`]
    : [
        ...unreadLines(unread),
        `complete, but for what could not be read: ${unread.map(({ name }) => name).join(', ')}: ${all}`,
      ];
}

function unreadLines(unread: BundleClosure['unread']): string[] {
  return unread.flatMap(({ name, why }) => why.map((one) => `not read for images: ${name} ${one}`));
}
