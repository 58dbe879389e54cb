// One image that a bundle must hold: under which name, for which platforms, and what it is there for. Several wants of one
// name become one image.
import { AirgapError } from '../core/errors.ts';
import { flavourRules, type Component } from './components.ts';
import { eckImageName, managesImage } from './image-name.ts';
import { ironBankName, publishedName, publishedPlatforms, type PublishedOptions } from './published.ts';
import { formatVersion, type Version } from './version.ts';

export interface WantedImage {
  /** Its name on docker.elastic.co: what the lock resolves and the enclave pulls. */
  readonly name: string;
  /** What it is there for. One image can serve several components, and stand in for several versions. */
  readonly uses: readonly ImageUse[];
  /** Those of the wanted platforms that it is published for. */
  readonly platforms: 'all' | readonly string[];
  /** Iron Bank's build of it, linux/amd64 alone. */
  readonly ironBank?: string;
}

export interface ImageUse {
  readonly component: string;
  /** `.spec.version` of what runs it, where ECK does. */
  readonly version: string;
  /** The reason it is there, a sentence without full stop. */
  readonly why: string;
  /** ECK would ask for another name: the resource must say this one in `.spec.image`. */
  readonly needsSpecImage?: true;
}

/** A component in a version that something asks for. */
export interface Want {
  readonly component: Component;
  readonly version: Version;
  readonly why: string;
}

export interface WantedOptions extends PublishedOptions {
  readonly eck: Version;
  readonly platforms: 'all' | readonly string[];
}

/**
 * By name, each once, with all its uses: the same wants give the same value in whatever order.
 * @throws VERSION_UNSUPPORTED, PLATFORM_MISSING
 */
export function wantedImages(wants: readonly Want[], options: WantedOptions): WantedImage[] {
  return merge(wants.map((want) => toImage(want, options)));
}

function toImage({ component, version, why }: Want, options: WantedOptions): WantedImage {
  const name = publishedName(component, version, options);
  const derived = derivedName(component, version, options);
  const ironBank = ironBankName(component, version, options.flavour);
  const use: ImageUse = {
    component: component.name,
    version: formatVersion(version),
    why: standsIn(name, version) ? `${why}; it stands in for ${formatVersion(version)}` : why,
    ...(derived === undefined || derived === name ? {} : { needsSpecImage: true as const }),
  };
  const platforms = wantedPlatforms(component, version, options);
  return { name, uses: [use], platforms, ...(ironBank === undefined ? {} : { ironBank }) };
}

/** The name that ECK derives with the settings of the flavour; none where it does not manage the component. */
function derivedName({ resource }: Component, version: Version, { eck, flavour }: WantedOptions): string | undefined {
  if (resource === undefined || !managesImage(eck, resource.image)) return undefined;
  return eckImageName(eck, flavourRules[flavour].settings, resource.image, version);
}

/** Whether the tag is another version's: package registry images that stand in for ones that do not exist. */
function standsIn(name: string, version: Version): boolean {
  return !name.slice(name.lastIndexOf(':')).includes(formatVersion(version));
}

function wantedPlatforms(component: Component, version: Version, options: WantedOptions): 'all' | readonly string[] {
  if (options.platforms === 'all') return 'all';
  const published = publishedPlatforms(component, version);
  const wanted = options.platforms.filter((platform) => published.includes(platform));
  if (wanted.length > 0) return wanted;
  throw new AirgapError(
    'PLATFORM_MISSING',
    `${component.name} ${formatVersion(version)} is published for ${published.join(', ')}, not for ${options.platforms.join(', ')}`,
    { hint: 'Choose one of its platforms too, another version, or leave the component out.' },
  );
}

function merge(images: readonly WantedImage[]): WantedImage[] {
  const byName = new Map<string, WantedImage>();
  for (const image of images) {
    const known = byName.get(image.name);
    byName.set(image.name, known ? { ...known, uses: [...known.uses, ...image.uses] } : image);
  }
  return [...byName.values()]
    .map((image) => ({ ...image, uses: sorted(image.uses) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sorted(uses: readonly ImageUse[]): ImageUse[] {
  const byText = new Map(uses.map((use) => [`${use.component} ${use.version} ${use.why}`, use]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
}
