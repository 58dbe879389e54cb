// Which reference an image is taken from, by the `sources` of airgap.yaml: its own name, or what another registry calls it.
// Pure: nothing is asked. Which URL a registry's content is fetched from (mirrors) is sources.ts.
import { AirgapError } from '../core/errors.ts';
import { describeUse } from '../bundle/lock.ts';
import type { BundleSpec, ImageSource } from '../bundle/spec.ts';
import { IRON_BANK_PLATFORM } from '../catalog/published.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { anotherSource } from './another-source.ts';
import { longestPrefix } from './name-prefix.ts';
import type { WantedBySpecImage } from './wanted-by-spec.ts';

export type TakenImage<T extends WantedBySpecImage = WantedBySpecImage> = T & {
  /** Absent where it is taken from its own name. */
  readonly from?: string;
};

/**
 * The images with where each is taken from.
 * @throws CONTENT_MISSING for all that a source has no build of, PLATFORM_MISSING
 */
export function fromSources<T extends WantedBySpecImage>(
  images: readonly T[],
  sources: BundleSpec['sources'],
): TakenImage<T>[] {
  const found = images.map((image) => ({ image, source: longestPrefix(image.name, sources) }));
  const ironBank = found.filter(({ source }) => source?.layout === 'iron-bank').map(({ image }) => image);
  const absent = ironBank.filter((image) => image.ironBank === undefined);
  if (absent.length > 0) throw notInIronBank(absent);
  for (const image of ironBank) checkPlatforms(image);
  return found.map(({ image, source }) => {
    const from = source === undefined ? (image.reference ?? image.name) : nameAt(source, image);
    return from === image.name ? image : { ...image, from };
  });
}

function nameAt({ registry: place, layout }: ImageSource, image: WantedBySpecImage): string {
  const { name, ironBank = name, reference: own = name } = image;
  const { digest } = parseReference(own);
  const there = parseReference(layout === 'iron-bank' ? ironBank : own);
  const [registry = '', ...path] = place.split('/');
  const repository = [...path, there.repository].join('/');
  return formatReference({ ...there, ...(digest === undefined ? {} : { digest }), registry, repository });
}

function notInIronBank(images: readonly WantedBySpecImage[]): AirgapError {
  const names = images.map(({ name }) => name);
  const described = images.map(({ name, uses }) => `${name}${uses === undefined ? '' : ` (${usedBy(uses)})`}`);
  const chosen = images.every(({ uses }) => uses !== undefined);
  return new AirgapError('CONTENT_MISSING', `Iron Bank has no build of ${described.join(', ')}`, {
    hint: `${chosen ? '' : 'Its names are known of what "elastic" chooses, not of single "images". '}${anotherSource(names)} Its builds are of the flavours default and ubi.`,
    details: { images: names },
  });
}

function usedBy(uses: NonNullable<WantedBySpecImage['uses']>): string {
  return [...new Set(uses.map(describeUse))].join(', ');
}

function checkPlatforms({ name, platforms }: WantedBySpecImage): void {
  const others = platforms === 'all' ? [] : platforms.filter((platform) => platform !== IRON_BANK_PLATFORM);
  if (others.length === 0) return;
  throw new AirgapError(
    'PLATFORM_MISSING',
    `${name}: Iron Bank builds for ${IRON_BANK_PLATFORM} alone, not for ${others.join(', ')}`,
    { hint: `Ask for "platforms: [${IRON_BANK_PLATFORM}]". ${anotherSource([name])}` },
  );
}
