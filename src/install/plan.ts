// What a load would do, as a value: nothing is changed by making it. `load` does exactly this; `--dry-run` prints it.
import type { Activity } from '../core/events.ts';
import type { Digest } from '../core/digest.ts';
import { forEach } from '../core/pool.ts';
import { accompanyingWord } from '../bundle/accompanying.ts';
import type { BundleImage } from '../bundle/manifest.ts';
import type { Bundle } from '../bundle/reader.ts';
import { targetNames } from '../catalog/target-names.ts';
import { walkGraph } from '../oci/copy.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { readManifest } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-types.ts';
import { isAttestation } from '../oci/platform-selection.ts';
import type { Resolver } from '../oci/target.ts';
import { isNotThere } from '../registry/http-error.ts';
import type { Registry } from '../registry/registry.ts';
import type { RegistryAddress } from './registry-address.ts';

export interface PlannedTag {
  readonly tag: string;
  readonly descriptor: Descriptor;
  /** What the tag names today; equal to the descriptor's digest when nothing is to be done, absent for a new tag. */
  readonly current?: Digest;
}

/** A signature, an attestation or another referrer, which is copied with all that is below it. */
export interface PlannedCompanion {
  /** For people: `signature`. */
  readonly what: string;
  readonly descriptor: Descriptor;
  /** Absent where it has no tag of its own. */
  readonly tag?: PlannedTag;
}

/** One image under one of its names. */
export interface PlannedImage {
  /** Full original name. */
  readonly source: string;
  readonly repository: string;
  readonly digest: Digest;
  /** What is copied with all that is below it. */
  readonly root: Descriptor;
  readonly tag: PlannedTag;
  /** Copied after the image; the image is loaded without what the registry refuses of them. */
  readonly companions: readonly PlannedCompanion[];
  /** Attestations that are children of the image, an index. */
  readonly attestations: readonly Descriptor[];
  /** Digests that this repository lacks. */
  readonly missing: ReadonlySet<Digest>;
}

export interface LoadPlan {
  readonly registry: RegistryAddress;
  readonly images: readonly PlannedImage[];
  /** Bytes that no repository of the plan holds yet: an upper bound of what is sent, since a registry may mount. */
  readonly bytesToPush: number;
  readonly blobsToPush: number;
  readonly blobsPresent: number;
}

export interface PlanOptions extends Activity {
  readonly address: RegistryAddress;
  readonly flatten?: string | undefined;
}

/** @throws NAME_COLLISION, BUNDLE_CORRUPT, and the registry's errors */
export async function planLoad(bundle: Bundle, registry: Registry, options: PlanOptions): Promise<LoadPlan> {
  const targets = targetNames(bundle.manifest.images, { prefix: options.address.prefix, flatten: options.flatten });
  const sizes = new Map<Digest, number>();
  const held = new Set<Digest>();
  const images = await forEach(
    targets,
    async ({ image, repository, tag }, signal): Promise<PlannedImage> => {
      const target = registry.repository(repository, 'push');
      const root = bare(image);
      const nodes = await walkGraph(bundle, [root, ...image.accompanying.map(bare)], { signal });
      const missing = new Set<Digest>();
      await forEach(
        nodes,
        async (node) => {
          sizes.set(node.digest, node.size);
          if (await target.exists(node, { signal })) held.add(node.digest);
          else missing.add(node.digest);
        },
        { concurrency: 16, signal },
      );
      const planTag = async (name: string, descriptor: Descriptor): Promise<PlannedTag> => {
        return { tag: name, descriptor, ...(await currentTag(target, name, signal)) };
      };
      return {
        source: image.name,
        repository,
        digest: image.digest,
        root,
        tag: await planTag(tag, root),
        companions: await forEach(image.accompanying, (one) => planCompanion(one, planTag), { signal }),
        attestations: await attestationsIn(bundle, root, signal),
        missing,
      };
    },
    { concurrency: 8, signal: options.signal },
  );
  const absent = [...sizes].filter(([digest]) => !held.has(digest));
  return {
    registry: options.address,
    images,
    bytesToPush: absent.reduce((sum, [, size]) => sum + size, 0),
    blobsToPush: absent.length,
    blobsPresent: held.size,
  };
}

async function planCompanion(
  accompanying: BundleImage['accompanying'][number],
  planTag: (name: string, descriptor: Descriptor) => Promise<PlannedTag>,
): Promise<PlannedCompanion> {
  const descriptor = bare(accompanying);
  const { tag } = accompanying;
  const planned = tag === undefined ? {} : { tag: await planTag(tag, descriptor) };
  return { what: accompanyingWord(accompanying), descriptor, ...planned };
}

async function attestationsIn(bundle: Bundle, root: Descriptor, signal: AbortSignal): Promise<Descriptor[]> {
  if (!isIndexType(root.mediaType)) return [];
  const node = await readManifest(bundle, root, { signal });
  return node.kind === 'index' ? node.manifests.filter(isAttestation).map(bare) : [];
}

/** `source=target@digest`, one line for each image. */
export function planLines(plan: LoadPlan): string[] {
  return plan.images.map((image) => `${image.source}=${targetReference(plan.registry, image)}@${image.digest}`);
}

export function targetReference(address: RegistryAddress, image: PlannedImage): string {
  return `${address.host}/${image.repository}:${image.tag.tag}`;
}

/** Tags that name something else today. */
export function movingTags(plan: LoadPlan): { repository: string; tag: string; from: Digest; to: Digest }[] {
  return plan.images.flatMap(({ repository, tag, companions }) =>
    [tag, ...companions.flatMap((companion) => companion.tag ?? [])].flatMap(({ tag: name, current, descriptor }) =>
      current === undefined || current === descriptor.digest
        ? []
        : [{ repository, tag: name, from: current, to: descriptor.digest }],
    ),
  );
}

function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

async function currentTag(target: Resolver, tag: string, signal: AbortSignal): Promise<{ current?: Digest }> {
  try {
    return { current: (await target.resolve(tag, { signal })).digest };
  } catch (error) {
    if (isNotThere(error)) return {};
    throw error;
  }
}
