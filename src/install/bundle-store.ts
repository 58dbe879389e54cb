// A bundle as a read-only registry: `serve` gives out images straight from the media. Repositories have the names that
// `load` without a prefix gives them.
import { isDigest, type Digest } from '../core/digest.ts';
import type { Bundle } from '../bundle/reader.ts';
import { targetNames } from '../catalog/target-names.ts';
import { walkGraph } from '../oci/copy.ts';
import { readBlob } from '../oci/content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isNode } from '../oci/manifest.ts';
import { describeManifest } from '../registry/server/stored-manifest.ts';
import type { RegistryStore, RepositoryStore } from '../registry/server/store.ts';

interface Content {
  readonly manifests: Map<Digest, Descriptor>;
  readonly blobs: Map<Digest, number>;
  readonly tags: Map<string, Digest>;
  /** Subject to what refers to it. */
  readonly referrers: Map<Digest, Descriptor[]>;
}

/** Reads the manifests of the bundle, a few KiB each. @throws NAME_COLLISION, BUNDLE_CORRUPT */
export async function bundleStore(bundle: Bundle): Promise<RegistryStore> {
  const repositories = new Map<string, Content>();
  for (const { image, repository, tag } of targetNames(bundle.manifest.images, { prefix: '' })) {
    const content = repositories.get(repository) ?? {
      manifests: new Map(),
      blobs: new Map(),
      tags: new Map(),
      referrers: new Map(),
    };
    repositories.set(repository, content);
    for (const descriptor of await walkGraph(bundle, [image, ...image.accompanying]))
      await addDescriptor(bundle, content, descriptor);
    content.tags.set(tag, image.digest);
    for (const { tag: own, digest } of image.accompanying) if (own !== undefined) content.tags.set(own, digest);
  }
  return {
    repositories: async () => [...repositories.keys()].sort(),
    repository: async (name) => {
      const content = repositories.get(name);
      return content && bundleRepository(bundle, content);
    },
  };
}

async function addDescriptor(bundle: Bundle, content: Content, { mediaType, digest, size }: Descriptor): Promise<void> {
  if (!isNode({ mediaType, digest, size })) {
    content.blobs.set(digest, size);
    return;
  }
  const identity = { mediaType, digest, size };
  const { descriptor, subject } = describeManifest(identity, await readBlob(bundle, identity));
  content.manifests.set(digest, descriptor);
  if (subject !== undefined) content.referrers.set(subject, [...(content.referrers.get(subject) ?? []), descriptor]);
}

function bundleRepository(bundle: Bundle, content: Content): RepositoryStore {
  return {
    manifest: async (reference) => {
      const digest = isDigest(reference) ? reference : content.tags.get(reference);
      return digest && content.manifests.get(digest);
    },
    blobSize: async (digest) => content.blobs.get(digest),
    open: (digest, start = 0, end) => {
      const size = content.manifests.get(digest)?.size ?? content.blobs.get(digest) ?? 0;
      return readUntil(bundle, { mediaType: '', digest, size }, { start, end: end ?? size });
    },
    tags: async () => [...content.tags.keys()],
    referrers: async (subject) => content.referrers.get(subject) ?? [],
  };
}

async function* readUntil(
  bundle: Bundle,
  descriptor: Descriptor,
  range: { start: number; end: number },
): AsyncGenerator<Uint8Array> {
  let left = range.end - range.start;
  for await (const chunk of bundle.fetch(descriptor, { start: range.start })) {
    yield chunk.byteLength <= left ? chunk : chunk.subarray(0, left);
    left -= chunk.byteLength;
    if (left <= 0) return;
  }
}
