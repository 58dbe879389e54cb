// From a lock and a full cache to a bundle: its manifest, its chunk table, and where each body comes from. A pure function
// of the lock and of content that has the lock's digests.
import { chunkHashes } from '../core/chunks.ts';
import { digestOf, type Digest } from '../core/digest.ts';
import { forEach } from '../core/pool.ts';
import { indexJson, OCI_LAYOUT_BYTES } from '../bundle/index-json.ts';
import { encodeLock, LOCK_FILE, type Lock } from '../bundle/lock.ts';
import { API_VERSION, blobPath, type BundleEntry, type BundleImage, type BundleManifest } from '../bundle/manifest.ts';
import type { BodySource } from '../bundle/chunk-source.ts';
import type { Cache } from '../oci/cache.ts';
import { walkGraph } from '../oci/copy.ts';
import { contentOf } from '../oci/content.ts';
import { descriptorOf, type Descriptor } from '../oci/descriptor.ts';
import { FILE_MEDIA_TYPE } from './files.ts';
import { roots } from './fetch.ts';

export interface PackedBundle {
  readonly manifest: BundleManifest;
  /** sha256 of every 4 MiB of every body but its own, in entry order. */
  readonly chunkTable: Buffer;
  readonly source: BodySource;
}

export interface PackOptions {
  readonly signatureSlots?: number;
  /** Programs that travel beside the bundle. */
  readonly installers?: BundleManifest['installers'];
  readonly signal?: AbortSignal | undefined;
}

/** @throws CONTENT_MISSING when the cache lacks something the lock names */
export async function packBundle(lock: Lock, cache: Cache, options: PackOptions = {}): Promise<PackedBundle> {
  const lockBytes = encodeLock(lock);
  const lockBlob = descriptorOf(lockBytes, 'application/yaml');
  await cache.push(lockBlob, contentOf(lockBytes));
  const blobs = await collectBlobs(lock, lockBlob, cache, options.signal);
  const images = lock.images.map(bundleImage);
  const index = indexJson(images);
  const chunks = [OCI_LAYOUT_BYTES, index].map(chunkHashes);
  chunks.push(...(await forEach(blobs, (blob) => cache.chunks(blob), { concurrency: 8, signal: options.signal })));
  const chunkTable = Buffer.concat(chunks);
  const manifest: BundleManifest = {
    apiVersion: API_VERSION,
    kind: 'BundleManifest',
    name: lock.metadata.name,
    lock: lockBlob.digest,
    signatureSlots: options.signatureSlots ?? 1,
    entries: [
      entry('chunks', chunkTable),
      entry('oci-layout', OCI_LAYOUT_BYTES),
      entry('index.json', index),
      ...blobs.map(({ digest, size }) => ({ path: blobPath(digest), size, digest })),
    ],
    images,
    files: [
      { name: LOCK_FILE, mediaType: lockBlob.mediaType, digest: lockBlob.digest, size: lockBlob.size },
      ...lock.files.map(({ name, digest, size }) => ({ name, mediaType: FILE_MEDIA_TYPE, digest, size })),
    ],
    installers: options.installers ?? [],
    sequence: 0,
  };
  const generated = new Map<string, Uint8Array>([
    ['chunks', chunkTable],
    ['oci-layout', OCI_LAYOUT_BYTES],
    ['index.json', index],
  ]);
  return { manifest, chunkTable, source: { open: (body, start) => openBody(body, start, { cache, generated }) } };
}

/** Every blob that the bundle holds, each once, by digest. */
async function collectBlobs(
  lock: Lock,
  lockBlob: Descriptor,
  cache: Cache,
  signal?: AbortSignal,
): Promise<Descriptor[]> {
  const blobs = new Map<Digest, Descriptor>([[lockBlob.digest, lockBlob]]);
  const graph = await walkGraph(cache, lock.images.flatMap(roots), { signal });
  const originals = lock.images.flatMap((image) => (image.original ? [image.original] : []));
  const files = lock.files.map(({ digest, size }) => ({ mediaType: FILE_MEDIA_TYPE, digest, size }));
  for (const descriptor of [...graph, ...originals, ...files]) blobs.set(descriptor.digest, descriptor);
  return [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

function bundleImage(image: Lock['images'][number]): BundleImage {
  const { name, mediaType, digest, size, original, platforms, artifact, accompanying } = image;
  return {
    name,
    mediaType,
    digest,
    size,
    platforms,
    accompanying,
    ...(original === undefined ? {} : { original }),
    ...(artifact === undefined ? {} : { artifact }),
  };
}

function entry(path: string, bytes: Uint8Array): BundleEntry {
  return { path, size: bytes.byteLength, digest: digestOf(bytes) };
}

async function* openBody(
  body: BundleEntry,
  start: number,
  from: { cache: Cache; generated: Map<string, Uint8Array> },
): AsyncGenerator<Uint8Array> {
  const bytes = from.generated.get(body.path);
  if (bytes) yield bytes.subarray(start);
  else yield* from.cache.open(body, start);
}
