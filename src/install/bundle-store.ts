// A bundle as a read-only registry: `serve` gives out images straight from the media. Repositories have the names that
// `load` without a prefix gives them.
import type { BufferPool } from '../core/buffers.ts';
import { isDigest, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import type { BundleEntry } from '../bundle/manifest.ts';
import { blobPath } from '../bundle/manifest-rules.ts';
import type { Bundle } from '../bundle/reader.ts';
import { SharedChunks } from '../bundle/shared-chunks.ts';
import { targetNames } from '../catalog/target-names.ts';
import { walkGraph } from '../oci/copy.ts';
import { readBlob } from '../oci/content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isNode } from '../oci/manifest.ts';
import { describeManifest } from '../registry/server/stored-manifest.ts';
import type { RegistryStore, RepositoryStore } from '../registry/server/store.ts';

interface Reading {
  readonly bundle: Bundle;
  readonly chunks: SharedChunks;
}

interface Content {
  readonly manifests: Map<Digest, Descriptor>;
  readonly blobs: Map<Digest, number>;
  readonly tags: Map<string, Digest>;
  /** Subject to what refers to it. */
  readonly referrers: Map<Digest, Descriptor[]>;
}

export interface BundleStoreOptions {
  /** Ends all reading. */
  readonly signal?: AbortSignal | undefined;
  /** What chunks are read into; 20 MiB by default. */
  readonly buffers?: BufferPool | undefined;
}

/** Reads the manifests of the bundle, a few KiB each. @throws NAME_COLLISION, BUNDLE_CORRUPT */
export async function bundleStore(bundle: Bundle, options: BundleStoreOptions = {}): Promise<RegistryStore> {
  const chunks = new SharedChunks(bundle.chunks, options);
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
      return content && bundleRepository({ bundle, chunks }, content);
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

function bundleRepository({ bundle, chunks }: Reading, content: Content): RepositoryStore {
  const entryOf = (digest: Digest): BundleEntry => {
    const entry = bundle.entry(blobPath(digest));
    if (entry) return entry;
    throw new AirgapError('CONTENT_MISSING', `the bundle does not hold ${digest}`);
  };
  return {
    manifest: async (reference) => {
      const digest = isDigest(reference) ? reference : content.tags.get(reference);
      return digest && content.manifests.get(digest);
    },
    blobSize: async (digest) => content.blobs.get(digest),
    async *open(digest, start = 0, end) {
      const entry = entryOf(digest);
      for await (const { bytes } of chunks.read(entry, { start, end: end ?? entry.size })) yield Buffer.from(bytes);
    },
    borrow: (digest, range) => chunks.read(entryOf(digest), range),
    tags: async () => [...content.tags.keys()],
    referrers: async (subject) => content.referrers.get(subject) ?? [],
  };
}
