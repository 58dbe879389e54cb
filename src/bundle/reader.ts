// Opening a bundle: the signature over bundle.json is checked before anything in it is believed, then every byte that is
// not a body is compared with what it must be. Bodies are read in place (chunk-reader.ts); nothing is ever extracted.
import { digestOf, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { hashingHere, type Hashing } from '../core/hashing.ts';
import type { BorrowedStream, ByteStream } from '../core/streams.ts';
import { contentOf } from '../oci/content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import type { FetchOptions, Source } from '../oci/target.ts';
import type { PublicKey } from '../signing/public-key.ts';
import { borrowChunks, chunkReader, readChunks, type ChunkReader } from './chunk-reader.ts';
import { CHUNK_TABLE_PATH, chunkTable } from './chunk-table.ts';
import { readGenerated } from './generated.ts';
import { parseBundleManifest, type BundleEntry, type BundleManifest } from './manifest.ts';
import { blobPath } from './manifest-rules.ts';
import type { Front, Medium } from './medium.ts';
import { openMedium } from './open-medium.ts';
import { checkSignatures, describeSlots, keyRequired, type SlotState } from './signatures.ts';

/** A `Source`: images resolve by their full original reference, content is fetched by digest. */
export interface Bundle extends Source {
  borrow(descriptor: Descriptor, options?: FetchOptions): BorrowedStream;
  readonly manifest: BundleManifest;
  /** Digest of the bytes of bundle.json: the identity of the bundle. */
  readonly digest: Digest;
  readonly signatures: readonly SlotState[];
  /** False for `inspect` without a key: then nothing here may be trusted. */
  readonly verified: boolean;
  entry(path: string): BundleEntry | undefined;
  hasBlob(digest: Digest): boolean;
  /** The bytes of an entry; every chunk is checked before it is yielded. @throws BUNDLE_CORRUPT, IO_FAILED */
  readEntry(entry: BundleEntry, options?: FetchOptions): ByteStream;
  /** For who wants to know of every damaged chunk, not of the first. */
  readonly chunks: ChunkReader;
  close(): Promise<void>;
}

export interface OpenOptions extends Activity {
  /** Keys that must each have signed. */
  readonly keys: readonly PublicKey[];
  /** Hashes the bodies. */
  readonly hashing?: Hashing | undefined;
}

/**
 * @param paths the tar, its volumes or their folders (any of them, or several), or one unpacked folder
 * @throws KEY_REQUIRED, SIGNATURE_INVALID, BUNDLE_CORRUPT, BUNDLE_INCOMPLETE, VOLUME_MISSING, FORMAT_UNKNOWN, FILE_NOT_FOUND, NOT_A_BUNDLE, CONFIG_INVALID
 */
export async function openBundle(paths: string | readonly string[], options: OpenOptions): Promise<Bundle> {
  if (options.keys.length === 0) throw keyRequired();
  return openWith(paths, (front) => checkSignatures(front, options.keys), options);
}

/** For `inspect` only: says what the bundle says of itself, as far as it is consistent. @throws as `openBundle`, but for the signature */
export async function openUnverified(
  paths: string | readonly string[],
  options: Pick<OpenOptions, 'signal'> = {},
): Promise<Bundle> {
  return openWith(paths, describeSlots, options);
}

async function openWith(
  paths: string | readonly string[],
  check: (front: Front) => SlotState[],
  { hashing = hashingHere, signal }: Pick<OpenOptions, 'hashing' | 'signal'>,
): Promise<Bundle> {
  const medium = await openMedium(typeof paths === 'string' ? [paths] : paths);
  try {
    const front = await medium.readFront();
    return await openFront({ medium, front, hashing, signal }, check(front));
  } catch (error) {
    await medium.close();
    throw error;
  }
}

interface Opening {
  readonly medium: Medium;
  readonly front: Front;
  readonly hashing: Hashing;
  readonly signal: AbortSignal | undefined;
}

/** From here on the manifest is trusted (or shown as unverified). */
async function openFront(
  { medium, front, hashing, signal }: Opening,
  signatures: readonly SlotState[],
): Promise<Bundle> {
  const manifest = parseBundleManifest(front.manifest);
  await medium.checkFrames(front, manifest, signal);
  const table = await readGenerated(medium, manifest);
  const chunks = chunkReader(medium, chunkTable(manifest, table), hashing);
  const entries = new Map(manifest.entries.map((entry) => [entry.path, entry]));
  const found = async function* <T>({ digest }: Descriptor, read: (entry: BundleEntry) => AsyncIterable<T>) {
    const entry = entries.get(blobPath(digest));
    if (!entry) throw new AirgapError('CONTENT_MISSING', `the bundle does not hold ${digest}`);
    yield* read(entry);
  };
  return {
    manifest,
    digest: digestOf(front.manifest),
    signatures,
    verified: signatures.some((signature) => signature.state === 'verified'),
    chunks,
    entry: (path) => entries.get(path),
    hasBlob: (digest) => entries.has(blobPath(digest)),
    resolve: async (reference) => resolveImage(manifest, reference),
    fetch: (descriptor, options) => found(descriptor, (entry) => readChunks(chunks, entry, options)),
    borrow: (descriptor, options) => found(descriptor, (entry) => borrowChunks(chunks, entry, options)),
    readEntry: (entry, options) =>
      entry.path === CHUNK_TABLE_PATH ? contentOf(table).open(options?.start ?? 0) : readChunks(chunks, entry, options),
    close: () => medium.close(),
  };
}

function resolveImage(manifest: BundleManifest, reference: string): Descriptor {
  const name = formatReference(parseReference(reference));
  const image = manifest.images.find((candidate) => candidate.name === name);
  if (!image) throw new AirgapError('CONTENT_MISSING', `the bundle does not hold the image ${name}`);
  const { mediaType, digest, size } = image;
  return { mediaType, digest, size };
}
