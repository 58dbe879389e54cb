// Images that carried files and charts name beside those that are wanted anyway: a bundle with the manifest and without its
// image would fail inside.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import type { LockedFile, LockedImage, Use } from '../bundle/lock.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import type { Catalogue } from '../catalog/components.ts';
import { carriedName } from '../catalog/carried-name.ts';
import { knownImage } from '../catalog/known-image.ts';
import type { WantedBySpecImage } from './wanted-by-spec.ts';

export interface NamedBesideOptions {
  readonly platforms: BundleSpec['platforms'];
  readonly catalogue: Catalogue;
}

export interface NamedBeside extends WantedBySpecImage {
  readonly uses: readonly Use[];
  /** Whether airgap.yaml can leave it out: nothing names it but files and charts that are named there. */
  readonly ignorable: boolean;
}

const NAMES_IT = 'it names this image';

type Carrier = Pick<LockedFile, 'name' | 'uses' | 'images'> & Pick<LockedImage, 'chart'>;

/** By name, each once, with all that name it. */
export function namedBeside(
  wanted: readonly { readonly name: string }[],
  carriers: readonly Carrier[],
  options: NamedBesideOptions,
): NamedBeside[] {
  const known = new Set(wanted.map(({ name }) => name));
  const found = new Map<string, NamedBeside>();
  for (const carrier of carriers) {
    for (const text of carrier.images ?? []) {
      const image = asWanted(text, options);
      if (known.has(image.name)) continue;
      const before = found.get(image.name) ?? { ...image, uses: [], ignorable: true };
      const ignorable = before.ignorable && carrier.uses === undefined;
      found.set(image.name, { ...before, uses: [...before.uses, useBy(carrier)], ignorable });
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function asWanted(text: string, { platforms, catalogue }: NamedBesideOptions): WantedBySpecImage {
  const named = carriedName(text);
  const known = knownImage(named.name, catalogue);
  if (known === undefined) return { ...named, platforms };
  const published = platforms === 'all' ? 'all' : platforms.filter((platform) => known.platforms.includes(platform));
  const { ironBank } = known;
  return { ...named, platforms: published, ...(ironBank === undefined ? {} : { ironBank }) };
}

/**
 * What is not there, or not for a platform, is told with who names it and how to go without it.
 * `ignorable` is undefined for what is wanted anyway.
 */
export async function blamingCarriers<T>(
  { uses = [], ignorable }: { uses: readonly Use[] | undefined; ignorable: boolean | undefined },
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (ignorable === undefined || !isAirgapError(error, 'CONTENT_MISSING', 'PLATFORM_MISSING')) throw error;
    const { code, details, message } = error;
    const hint = ignorable
      ? 'If another name or tag is what will be run, add that under "images" of airgap.yaml; then, and if it is not needed, name this one in the "ignoreImages" of that file or chart.'
      : 'What ECK publishes for its release names it, so it comes along: see that its source has it ("sources" and "mirrors" in airgap.yaml).';
    const carriers = uses.map(({ component }) => component).join(', ');
    throw new AirgapError(code, `${message} (named by ${carriers})`, { cause: error, details, hint });
  }
}

/** What to warn of: an index that is pinned by its digest and was cut to some platforms has another digest inside. */
export function cutIndexes(images: readonly LockedImage[], carriers: readonly Carrier[]): string[] {
  return images.flatMap(({ name, original, digest, platforms }) => {
    if (original === undefined) return [];
    const named = (text: string): boolean => carriedName(text).name === name && text.endsWith(`@${original.digest}`);
    return carriers
      .filter((carrier) => carrier.images?.some(named))
      .map(
        (carrier) =>
          `${carrier.name} pins ${name} to ${original.digest}; cut to ${platforms.join(', ')} it is ${digest} inside: name that there, or take "platforms: all"`,
      );
  });
}

function useBy({ name, chart, uses: [use] = [] }: Carrier): Use {
  const version = chart?.version ?? use?.version;
  return { component: chart?.name ?? name, ...(version === undefined ? {} : { version }), why: NAMES_IT };
}
