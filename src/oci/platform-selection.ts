// Cutting an image to the platforms that are wanted. A registry may refuse an index whose children are absent, so what is
// pushed must be whole: one platform is its manifest, several are a smaller index, all are the original.
import { canonicalJson } from '../core/canonical-json.ts';
import type { Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { readBlob } from './content.ts';
import { descriptorOf, type Descriptor } from './descriptor.ts';
import { readManifest, type ForeignDescriptor, type Index, type Manifest } from './manifest.ts';
import { isImageConfigType, isIndexType } from './media-types.ts';
import { formatPlatform, isPlatform, isUnknownPlatform, matchesPlatform, type Platform } from './platform.ts';
import type { Fetcher } from './target.ts';

/** On a filtered index: the digest of the index it was cut from, which upstream's signature is for. */
export const ORIGINAL_DIGEST = 'eck-airgap.original.digest';
/** Children that are taken of one index: each is asked for signatures and referrers. */
const MAX_CHILDREN = 1000;
const ATTESTATION_SUBJECT = 'vnd.docker.reference.digest';

export interface Selection {
  /** What is pushed under the tag. */
  readonly root: Descriptor;
  /** The bytes of a filtered index, which exists nowhere upstream. */
  readonly rootBytes?: Uint8Array;
  /** What the tag named upstream, where `root` is something else. */
  readonly original?: Descriptor;
  /** The platforms of what is selected, formatted; empty for an artifact. */
  readonly platforms: readonly string[];
  /** Attestations of what is selected that `root` does not reach. */
  readonly accompanying: readonly Descriptor[];
  /** Children left out since nobody can fetch them by their digest. */
  readonly foreign: readonly ForeignDescriptor[];
}

export interface Choice {
  readonly wanted: readonly Platform[] | 'all';
  /** Digests of children that are left out, whatever is wanted: attestations and the like, no images. */
  readonly without?: readonly Digest[] | undefined;
}

/** @throws PLATFORM_MISSING naming what there is, MANIFEST_INVALID, CONTENT_MISSING */
export async function selectPlatforms(source: Fetcher, original: Descriptor, choice: Choice): Promise<Selection> {
  const manifest = await readManifest(source, original, { foreign: true });
  return manifest.kind === 'index'
    ? selectFromIndex(manifest, original, choice)
    : selectSingle(source, { manifest, original, wanted: choice.wanted });
}

function selectFromIndex(index: Index, original: Descriptor, { wanted, without = [] }: Choice): Selection {
  const root = bare(original);
  const { foreign = [] } = index;
  const children = index.manifests.filter((child) => !without.includes(child.digest));
  const whole = children.length === index.manifests.length && foreign.length === 0;
  const images = children.filter((child) => !isAttestation(child));
  if (wanted === 'all') {
    requireFew(children, wanted);
    requireNoImage(foreign);
    if (whole) return { root, platforms: platformsOf(images), accompanying: [], foreign };
    return { ...filtered(index, original, new Set(children)), platforms: platformsOf(images), foreign };
  }
  const nested = images.find((child) => isIndexType(child.mediaType));
  if (nested)
    throw new AirgapError(
      'MANIFEST_INVALID',
      `an index inside an index (${nested.digest}) cannot be cut to platforms; ask for platforms: all`,
    );
  const chosen = chooseImages(images, wanted);
  requireFew(chosen, wanted);
  const attestations = children.filter(
    (child) =>
      isAttestation(child) && chosen.some((image) => image.digest === child.annotations?.[ATTESTATION_SUBJECT]),
  );
  if (whole && chosen.length === images.length)
    return { root, platforms: platformsOf(images), accompanying: [], foreign };
  const [only, ...others] = chosen;
  if (only && others.length === 0) {
    return {
      root: bare(only),
      original: root,
      platforms: platformsOf(chosen),
      accompanying: attestations.map(bare),
      foreign,
    };
  }
  const keep = new Set([...chosen, ...attestations]);
  return { ...filtered(index, original, keep), platforms: platformsOf(chosen), foreign };
}

function filtered(
  index: Index,
  original: Descriptor,
  keep: ReadonlySet<Descriptor>,
): Pick<Selection, 'root' | 'rootBytes' | 'original' | 'accompanying'> {
  const rootBytes = filteredIndex(index, original, keep);
  return {
    root: descriptorOf(rootBytes, original.mediaType),
    rootBytes,
    original: bare(original),
    accompanying: [],
  };
}

/** An image is not left out of what is to be taken whole. */
function requireNoImage(foreign: readonly ForeignDescriptor[]): void {
  const image = foreign.find(({ platform }) => platform !== undefined && !isUnknownPlatform(platform));
  if (image?.platform === undefined) return;
  throw new AirgapError(
    'MANIFEST_INVALID',
    `the image for ${formatPlatform(image.platform)} has the digest ${image.digest}, and only sha256 can be carried`,
    { hint: 'Name the platforms that you need in airgap.yaml, without this one.' },
  );
}

function requireFew(children: readonly Descriptor[], wanted: readonly Platform[] | 'all'): void {
  if (children.length <= MAX_CHILDREN) return;
  throw new AirgapError(
    'MANIFEST_INVALID',
    `an index of which ${children.length} images are taken is refused: more than ${MAX_CHILDREN}`,
    { hint: wanted === 'all' ? 'Name the platforms that are needed under "platforms" of airgap.yaml.' : undefined },
  );
}

/** Children that match, in the index's order. Several for one wanted platform (Windows versions) are all taken. */
function chooseImages(images: readonly Descriptor[], wanted: readonly Platform[]): Descriptor[] {
  for (const platform of wanted) {
    if (!images.some((image) => image.platform && matchesPlatform(platform, image.platform)))
      throw platformMissing(platform, platformsOf(images));
  }
  return images.filter(({ platform }) => platform && wanted.some((one) => matchesPlatform(one, platform)));
}

/** Deterministic: the chosen children as they were, in their order, and where they came from. */
function filteredIndex(index: Index, original: Descriptor, keep: ReadonlySet<Descriptor>): Buffer {
  return canonicalJson({
    schemaVersion: 2,
    mediaType: original.mediaType,
    artifactType: index.artifactType,
    manifests: index.manifests.filter((child) => keep.has(child)),
    annotations: { ...index.annotations, [ORIGINAL_DIGEST]: original.digest },
  });
}

interface Single {
  readonly manifest: Manifest;
  readonly original: Descriptor;
  readonly wanted: readonly Platform[] | 'all';
}

/** An image without an index says its platform in its config; an artifact has none and is taken as it is. */
async function selectSingle(source: Fetcher, { manifest, original, wanted }: Single): Promise<Selection> {
  const root = bare(original);
  if (!isImageConfigType(manifest.config.mediaType)) return { root, platforms: [], accompanying: [], foreign: [] };
  const platform = await configPlatform(source, manifest, original);
  if (wanted !== 'all') {
    const absent = wanted.find((one) => !matchesPlatform(one, platform));
    if (absent) throw platformMissing(absent, [formatPlatform(platform)]);
  }
  return { root, platforms: [formatPlatform(platform)], accompanying: [], foreign: [] };
}

/** What an image says of itself. @throws MANIFEST_INVALID, CONTENT_MISSING */
export async function configPlatform(source: Fetcher, manifest: Manifest, image: Descriptor): Promise<Platform> {
  return parseConfigPlatform(await readBlob(source, manifest.config), image);
}

function parseConfigPlatform(config: Uint8Array, image: Descriptor): Platform {
  try {
    const { os, architecture, variant } = JSON.parse(Buffer.from(config).toString('utf8')) as Record<string, unknown>;
    if (typeof os === 'string' && typeof architecture === 'string' && isPlatform({ os, architecture })) {
      const full = typeof variant === 'string' && variant !== '' ? { os, architecture, variant } : { os, architecture };
      return isPlatform(full) ? full : { os, architecture };
    }
  } catch {
    // told below
  }
  throw new AirgapError('MANIFEST_INVALID', `the config of ${image.digest} does not say its os and architecture`);
}

/** Whether a child of an index is an attestation of another one, as BuildKit makes them. */
export function isAttestation(child: Descriptor): boolean {
  return isUnknownPlatform(child.platform) && child.annotations?.[ATTESTATION_SUBJECT] !== undefined;
}

/** Those that can be named: programs in Go write an empty platform where they know none. */
function platformsOf(images: readonly Descriptor[]): string[] {
  const named = images.flatMap(({ platform }) => (platform && isPlatform(platform) ? [platform] : []));
  return [...new Set(named.map(formatPlatform))];
}

function platformMissing(platform: Platform, available: readonly string[]): AirgapError {
  return new AirgapError(
    'PLATFORM_MISSING',
    `there is no ${formatPlatform(platform)}, only ${available.join(', ') || 'images without a platform'}`,
    {
      hint: 'Change platforms in airgap.yaml, or leave this image out.',
      details: { wanted: formatPlatform(platform), available },
    },
  );
}

/** Identity only: what else a descriptor says belongs to the index it stood in. */
function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
