// Images that carried files and charts name beside those that are wanted anyway: a bundle with the manifest and without its
// image would fail inside.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import type { LockedFile, LockedImage, Use } from '../bundle/lock.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import type { Catalogue } from '../catalog/components.ts';
import { knownImage } from '../catalog/known-image.ts';
import { carriedName } from './carried-name.ts';
import type { WantedBySpecImage } from './wanted-by-spec.ts';

export interface NamedBesideOptions {
  readonly platforms: BundleSpec['platforms'];
  readonly catalogue: Catalogue;
}

const NAMES_IT = 'it names this image';

type Carrier = Pick<LockedFile, 'name' | 'uses' | 'images'> & Pick<LockedImage, 'chart'>;

/** By name, each once, with all that name it. */
export function namedBeside(
  wanted: readonly { readonly name: string }[],
  carriers: readonly Carrier[],
  options: NamedBesideOptions,
): WantedBySpecImage[] {
  const known = new Set(wanted.map(({ name }) => name));
  const found = new Map<string, WantedBySpecImage & { uses: Use[] }>();
  for (const carrier of carriers) {
    for (const text of carrier.images ?? []) {
      const image = asWanted(text, options);
      if (known.has(image.name)) continue;
      const before = found.get(image.name) ?? { ...image, uses: [] };
      found.set(image.name, { ...before, uses: [...before.uses, useBy(carrier)] });
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

/** What is not there, or not for a platform, is told with who names it and how to go without it. */
export async function blamingCarriers<T>(uses: readonly Use[] = [], task: () => Promise<T>): Promise<T> {
  const carriers = uses.filter(({ why }) => why === NAMES_IT).map(({ component }) => component);
  try {
    return await task();
  } catch (error) {
    if (carriers.length === 0 || !isAirgapError(error, 'CONTENT_MISSING', 'PLATFORM_MISSING')) throw error;
    const { code, details, message } = error;
    throw new AirgapError(code, `${message} (named by ${carriers.join(', ')})`, {
      cause: error,
      details,
      hint: 'If it is not needed, name it in the "ignoreImages" of that file or chart in airgap.yaml.',
    });
  }
}

function useBy({ name, chart, uses: [use] = [] }: Carrier): Use {
  const version = chart?.version ?? use?.version;
  return { component: chart?.name ?? name, ...(version === undefined ? {} : { version }), why: NAMES_IT };
}
