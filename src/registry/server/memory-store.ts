// A store in memory: for tests and the demo. Blobs are shared by the repositories that link them.
import { randomUUID } from 'node:crypto';
import { digestOf, isDigest, type Digest } from '../../core/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { describeManifest, referrersOf, type StoredManifest } from './stored-manifest.ts';
import type { RegistryStore, WritableRepositoryStore } from './store.ts';

export function memoryStore(): Required<RegistryStore> {
  const blobs = new Map<Digest, Uint8Array>();
  const repositories = new Map<string, MemoryRepository>();
  const links = (name: string): ReadonlySet<Digest> | undefined => repositories.get(name)?.links;
  const found = (name: string): MemoryRepository | undefined => {
    const repository = repositories.get(name);
    return repository?.exists() === true ? repository : undefined;
  };
  return {
    repositories: async () => [...repositories.keys()].filter((name) => found(name) !== undefined).sort(),
    repository: async (name) => found(name),
    writable: async (name) => {
      const repository = repositories.get(name) ?? memoryRepository(blobs, links);
      repositories.set(name, repository);
      return repository;
    },
  };
}

interface MemoryRepository extends WritableRepositoryStore {
  readonly links: ReadonlySet<Digest>;
  /** Whether anything was ever pushed to it. */
  exists(): boolean;
}

function memoryRepository(
  blobs: Map<Digest, Uint8Array>,
  linksOf: (name: string) => ReadonlySet<Digest> | undefined,
): MemoryRepository {
  const links = new Set<Digest>();
  const manifests = new Map<Digest, StoredManifest & { readonly bytes: Uint8Array }>();
  const tags = new Map<string, Digest>();
  const uploads = new Map<string, Buffer[]>();
  let pushed = false;
  const link = (digest: Digest): void => {
    pushed = true;
    links.add(digest);
  };
  const found = (reference: string): Descriptor | undefined => {
    const digest = isDigest(reference) ? reference : tags.get(reference);
    return digest === undefined ? undefined : manifests.get(digest)?.descriptor;
  };
  return {
    links,
    exists: () => pushed,
    manifest: async (reference) => found(reference),
    blobSize: async (digest) => (links.has(digest) ? blobs.get(digest)?.byteLength : undefined),
    async *open(digest, start = 0, end) {
      const bytes = manifests.get(digest)?.bytes ?? blobs.get(digest);
      if (bytes) yield bytes.subarray(start, end);
    },
    tags: async () => [...tags.keys()],
    referrers: async (subject) => referrersOf(manifests.values(), subject),
    putManifest: async (descriptor, bytes, tag) => {
      pushed = true;
      manifests.set(descriptor.digest, { ...describeManifest(descriptor, bytes), bytes });
      if (tag !== undefined) tags.set(tag, descriptor.digest);
    },
    deleteManifest: async (digest) => {
      for (const [tag, target] of tags) if (target === digest) tags.delete(tag);
      return manifests.delete(digest);
    },
    deleteTag: async (tag) => tags.delete(tag),
    deleteBlob: async (digest) => links.delete(digest),
    mount: async (digest, from) => {
      if (linksOf(from)?.has(digest) !== true) return false;
      link(digest);
      return true;
    },
    startUpload: async () => {
      const id = randomUUID();
      uploads.set(id, []);
      return id;
    },
    uploadSize: async (id) => {
      const chunks = uploads.get(id);
      return chunks && sizeOf(chunks);
    },
    appendUpload: async (id, bytes) => {
      const chunks = uploads.get(id) ?? [];
      for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
      return sizeOf(chunks);
    },
    finishUpload: async (id, digest) => {
      const bytes = Buffer.concat(uploads.get(id) ?? []);
      uploads.delete(id);
      if (digestOf(bytes) !== digest) return false;
      blobs.set(digest, bytes);
      link(digest);
      return true;
    },
    cancelUpload: async (id) => {
      uploads.delete(id);
    },
  };
}

function sizeOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
}
