// From a lock and a full cache to a bundle: its manifest, its chunk table, and where each body comes from. A pure function
// of the lock and of content that has the lock's digests.
import { chunkHashes } from '../core/chunks.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { digestOf } from '../core/digest.ts';
import { forEach } from '../core/pool.ts';
import { readerOf, type ReaderAt } from '../core/streams.ts';
import { indexJson, OCI_LAYOUT_BYTES } from '../bundle/index-json.ts';
import { heldImages, type HeldImage } from '../bundle/held-images.ts';
import { encodeLock, LOCK_FILE, PROVENANCE_FILE, SBOM_FILE, sortedLock, type Lock } from '../bundle/lock.ts';
import {
  API_VERSION,
  isArtifactType,
  parseBundleManifest,
  type BundleEntry,
  type BundleFile,
  type BundleImage,
  type BundleManifest,
} from '../bundle/manifest.ts';
import { blobPath } from '../bundle/manifest-rules.ts';
import type { BodySource } from '../bundle/body-source.ts';
import type { Cache, Identity } from '../oci/cache.ts';
import { contentOf } from '../oci/content.ts';
import { descriptorOf } from '../oci/descriptor.ts';
import { FILE_MEDIA_TYPE } from './files/content.ts';
import { lockedBlobs } from './lock-contents.ts';
import { encodeProvenance, PROVENANCE_MEDIA_TYPE } from './provenance.ts';
import { encodeSbom, SBOM_MEDIA_TYPE } from './sbom.ts';

/** Blobs of an earlier run are hashed whole: one is read while another is hashed. */
const HASHED_AT_A_TIME = 2;

export interface PackedBundle {
  readonly manifest: BundleManifest;
  /** Its images, as their manifests say. */
  readonly images: readonly HeldImage[];
  /** sha256 of every 4 MiB of every body but its own, in entry order. */
  readonly chunkTable: Buffer;
  readonly source: BodySource;
}

export interface PackOptions {
  /** Of this program, for the documents that say what made the bundle. */
  readonly version: string;
  readonly signatureSlots?: number;
  /** Programs that travel beside the bundle. */
  readonly installers?: BundleManifest['installers'];
  /** Instead of the lock's. */
  readonly sequence?: number | undefined;
  /** Seconds since 1970, where they are given from outside: the sequence for a lock that has none. */
  readonly sourceDateEpoch?: number | undefined;
  /** As bundle.json has it; for ever by default. */
  readonly expires?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws CONTENT_MISSING when the cache lacks something the lock names, DIGEST_MISMATCH when it is damaged there */
export async function packBundle(unsorted: Lock, cache: Cache, options: PackOptions): Promise<PackedBundle> {
  const lock = sortedLock(unsorted);
  const images = lock.images.map(bundleImage);
  const held = await heldImages(cache, images, options);
  const documents = ownDocuments(lock, held, options);
  for (const { file, bytes } of documents) await cache.push(file, contentOf(bytes), { signal: options.signal });
  const files = [...documents.map(({ file }) => file), ...lock.files.map(bundleFile)];
  const blobs = await collectBlobs(lock, documents, { cache, signal: options.signal });
  const index = indexJson(images);
  const chunks = [OCI_LAYOUT_BYTES, index].map(chunkHashes);
  const each = { concurrency: HASHED_AT_A_TIME, signal: options.signal };
  chunks.push(...(await forEach(blobs, (blob, signal) => cache.chunks(blob, { signal }), each)));
  const chunkTable = Buffer.concat(chunks);
  const manifest: BundleManifest = {
    apiVersion: API_VERSION,
    kind: 'BundleManifest',
    name: lock.metadata.name,
    lock: documents[0].file.digest,
    signatureSlots: options.signatureSlots ?? 1,
    entries: [
      entry('chunks', chunkTable),
      entry('oci-layout', OCI_LAYOUT_BYTES),
      entry('index.json', index),
      ...blobs.map(({ digest, size }) => ({ path: blobPath(digest), size, digest })),
    ],
    images,
    files,
    installers: [...(options.installers ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1)),
    sequence: options.sequence ?? lock.sequence ?? options.sourceDateEpoch ?? 0,
    ...(options.expires === undefined ? {} : { expires: options.expires }),
  };
  requireReadable(manifest);
  const generated = new Map<string, Uint8Array>([
    ['chunks', chunkTable],
    ['oci-layout', OCI_LAYOUT_BYTES],
    ['index.json', index],
  ]);
  return {
    manifest,
    images: held,
    chunkTable,
    source: { open: (body) => openBody(body, { cache, generated }) },
  };
}

/** A lock may have been edited, or be of a registry that writes what no bundle can say. @throws CONFIG_INVALID */
function requireReadable(manifest: BundleManifest): void {
  try {
    parseBundleManifest(canonicalJson(manifest));
  } catch (cause) {
    if (!isAirgapError(cause)) throw cause;
    throw new AirgapError('CONFIG_INVALID', `what ${LOCK_FILE} pins cannot be carried: ${cause.message}`, {
      cause,
      hint: 'Make the lock anew with "eck-airgap lock"; if it says the same, leave that image or file out.',
    });
  }
}

interface OwnDocument {
  readonly file: BundleFile;
  readonly bytes: Buffer;
}

/** What a bundle says of itself, each document naming those before it: the lock, the bill of materials, the provenance. */
function ownDocuments(lock: Lock, images: readonly HeldImage[], options: PackOptions): [OwnDocument, ...OwnDocument[]] {
  const { version, installers = [] } = options;
  const carried = lock.files.map(bundleFile);
  const locked = ownDocument(LOCK_FILE, 'application/yaml', encodeLock(lock));
  const files = [locked.file, ...carried];
  const about = { name: lock.metadata.name, version, images, lock, files, installers };
  const sbom = ownDocument(SBOM_FILE, SBOM_MEDIA_TYPE, encodeSbom(about));
  const lockDigest = locked.file.digest;
  const made = encodeProvenance({ version, lock, lockDigest, files: [locked.file, sbom.file, ...carried] });
  return [locked, sbom, ownDocument(PROVENANCE_FILE, PROVENANCE_MEDIA_TYPE, made)];
}

function ownDocument(name: string, mediaType: string, bytes: Buffer): OwnDocument {
  return { file: { name, ...descriptorOf(bytes, mediaType) }, bytes };
}

/** Every blob that the bundle holds, each once, by digest. */
async function collectBlobs(
  lock: Lock,
  documents: readonly OwnDocument[],
  { cache, signal }: { cache: Cache; signal: AbortSignal | undefined },
): Promise<Identity[]> {
  const blobs = await lockedBlobs(lock, cache, { signal });
  for (const { file } of documents) blobs.set(file.digest, file);
  return [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

function bundleFile({ name, digest, size }: Lock['files'][number]): BundleFile {
  return { name, mediaType: FILE_MEDIA_TYPE, digest, size };
}

function bundleImage(image: Lock['images'][number]): BundleImage {
  const { name, mediaType, digest, size, original, platforms, artifact, accompanying } = image;
  return {
    name,
    mediaType,
    digest,
    size,
    platforms: [...new Set(platforms)].sort(),
    accompanying: accompanying.map(accompanies).sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    ...(original === undefined ? {} : { original }),
    ...(artifact === undefined ? {} : { artifact }),
  };
}

/** Upstream may call a referrer anything; only a name of its type that fits is carried on. */
function accompanies({
  artifactType,
  ...rest
}: BundleImage['accompanying'][number]): BundleImage['accompanying'][number] {
  return artifactType === undefined || !isArtifactType(artifactType) ? rest : { ...rest, artifactType };
}

function entry(path: string, bytes: Uint8Array): BundleEntry {
  return { path, size: bytes.byteLength, digest: digestOf(bytes) };
}

async function openBody(
  body: BundleEntry,
  from: { cache: Cache; generated: Map<string, Uint8Array> },
): Promise<ReaderAt> {
  const bytes = from.generated.get(body.path);
  return bytes ? readerOf(bytes) : from.cache.open(body);
}
