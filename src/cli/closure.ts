// The closure proof as a person reads it: a table for each setting, and what is missing.
import type { BundleClosure } from '../install/closure.ts';
import type { ProvenImage, SettingProof } from '../catalog/proof.ts';
import { table } from './format.ts';

const HEADINGS: Readonly<Record<SettingProof['setting'], string>> = {
  'container-registry': 'container-registry: images keep their paths (load)',
  'container-repository':
    'container-repository elastic: images below one path (load --flatten elastic; any other name does the same)',
};

export function closureLines(closure: BundleClosure): string[] {
  return [...closure.settings.flatMap((proof) => ['', ...settingLines(proof)]), '', ...endLines(closure)];
}

function settingLines({ setting, images, collisions }: SettingProof): string[] {
  return [
    HEADINGS[setting],
    ...table([
      ['IMAGE', 'PLATFORMS', 'NEEDED BY', 'PRESENT'],
      ...images.map((one) => [one.image, one.platforms.join(',') || '-', one.neededBy.join(', '), presence(one)]),
    ]),
    ...collisions.map((collision) => `refused: ${collision}`),
  ];
}

function presence({ present, named, pushedAs, platformsMissing }: ProvenImage): string {
  if (present && pushedAs !== undefined) return `yes, but as ${pushedAs}`;
  if (present) return named === 'given' ? 'yes, where it is named' : 'yes';
  return platformsMissing.length === 0 ? 'NO' : `NOT for ${platformsMissing.join(', ')}`;
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
