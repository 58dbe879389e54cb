// Opening a bundle: the signature over bundle.json is checked before anything in it is believed, then every byte that is
// not a body is compared with what it must be. Bodies are read in place, chunk by chunk, each checked before it is passed on.
import { digestOf, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import type { ByteStream } from '../core/streams.ts';
import { createHash } from 'node:crypto';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import type { FetchOptions, Source } from '../oci/target.ts';
import type { PublicKey } from '../signing/public-key.ts';
import { verifySignature } from '../signing/signature.ts';
import { chunkTable, chunkTableSize, type Chunk, type ChunkTable } from './chunk-table.ts';
import { indexJson, OCI_LAYOUT_BYTES } from './index-json.ts';
import { blobPath, parseBundleManifest, type BundleEntry, type BundleManifest } from './manifest.ts';
import { openMedium, type Front, type Medium } from './medium.ts';
import { decodeSlot, slotPath } from './slots.ts';

export interface SlotState {
  readonly slot: number;
  readonly state: 'empty' | 'verified' | 'no key for it' | 'malformed';
  /** Of the key that it verifies with. */
  readonly fingerprint?: string;
}

/** A `Source`: images resolve by their full original reference, content is fetched by digest. */
export interface Bundle extends Source {
  readonly manifest: BundleManifest;
  /** Digest of the bytes of bundle.json: the identity of the bundle. */
  readonly digest: Digest;
  readonly signatures: readonly SlotState[];
  /** False for `inspect` without a key: then nothing here may be trusted. */
  readonly verified: boolean;
  hasBlob(digest: Digest): boolean;
  /** The bytes of an entry; every chunk is checked before it is yielded. @throws BUNDLE_CORRUPT */
  readEntry(entry: BundleEntry, options?: FetchOptions): ByteStream;
  /** Checks one chunk; answers where it lies when it is damaged. */
  readonly chunks: ChunkReader;
  close(): Promise<void>;
}

export interface ChunkReader {
  of(entry: BundleEntry, start?: number): Iterable<Chunk>;
  /** The bytes (in `into`, when it is given and large enough), or undefined when they are not what was signed. */
  read(entry: BundleEntry, chunk: Chunk, into?: Buffer): Promise<Buffer | undefined>;
  locate(entry: BundleEntry, chunk: Chunk): string;
}

export interface OpenOptions extends Activity {
  /** Keys that must each have signed. */
  readonly keys: readonly PublicKey[];
}

/** @throws KEY_REQUIRED, SIGNATURE_INVALID, BUNDLE_CORRUPT, VOLUME_MISSING, FILE_NOT_FOUND */
export async function openBundle(paths: string | readonly string[], options: OpenOptions): Promise<Bundle> {
  if (options.keys.length === 0) {
    throw new AirgapError('KEY_REQUIRED', 'no public key was given to check the signature with', {
      hint: 'Pass --key airgap.pub, a public key that came another way than the media.',
    });
  }
  return opening(paths, (medium, front) => openFront(medium, front, checkSignatures(front, options.keys)));
}

/** For `inspect` only: says what the bundle says of itself, as far as it is consistent. @throws BUNDLE_CORRUPT, VOLUME_MISSING */
export async function openUnverified(paths: string | readonly string[]): Promise<Bundle> {
  return opening(paths, (medium, front) => {
    const states = front.slots.map((bytes, slot): SlotState => {
      const signature = decodeSlot(bytes);
      return { slot, state: signature === undefined ? 'malformed' : signature === '' ? 'empty' : 'no key for it' };
    });
    return openFront(medium, front, states);
  });
}

async function opening(
  paths: string | readonly string[],
  open: (medium: Medium, front: Front) => Promise<Bundle>,
): Promise<Bundle> {
  const medium = await openMedium(typeof paths === 'string' ? [paths] : paths);
  try {
    return await open(medium, await medium.readFront());
  } catch (error) {
    await medium.close();
    throw error;
  }
}

/** Every key must have a slot that verifies; every slot must be empty or well-formed. */
function checkSignatures(front: Front, keys: readonly PublicKey[]): SlotState[] {
  const signatures = front.slots.map((bytes, slot) => {
    const signature = decodeSlot(bytes);
    if (signature === undefined) {
      throw new AirgapError('BUNDLE_CORRUPT', `the signature slot ${slotPath(slot)} is malformed`, {
        details: { region: slotPath(slot) },
      });
    }
    return signature;
  });
  const states = signatures.map((signature, slot): SlotState => {
    if (signature === '') return { slot, state: 'empty' };
    const key = keys.find((candidate) => verifySignature(candidate, front.manifest, signature));
    return key ? { slot, state: 'verified', fingerprint: key.fingerprint } : { slot, state: 'no key for it' };
  });
  for (const key of keys) {
    if (states.some((state) => state.fingerprint === key.fingerprint)) continue;
    throw new AirgapError(
      'SIGNATURE_INVALID',
      `no signature on this bundle was made with the key ${key.fingerprint}: bundle.json or its signature was changed, or another key signed it`,
      {
        hint: 'Compare the fingerprint with the trust card. If it is the right key, do not use this bundle; carry it over again.',
        details: { fingerprint: key.fingerprint, signatures: states },
      },
    );
  }
  return states;
}

/** From here on the manifest is trusted (or shown as unverified). */
async function openFront(medium: Medium, front: Front, signatures: readonly SlotState[]): Promise<Bundle> {
  const manifest = parseBundleManifest(front.manifest);
  if (manifest.signatureSlots !== front.slots.length) {
    throw new AirgapError(
      'BUNDLE_CORRUPT',
      `bundle.json has ${manifest.signatureSlots} signature slots, ${front.slots.length} are there`,
    );
  }
  await medium.checkFrames(front, manifest);
  const table = await readGenerated(medium, manifest);
  const entries = new Map(manifest.entries.map((entry) => [entry.path, entry]));
  const chunks = chunkReader(medium, table);
  const fetch = (descriptor: Descriptor, options: FetchOptions = {}): ByteStream =>
    readBlobEntry(entries.get(blobPath(descriptor.digest)), { descriptor, chunks, options });
  return {
    manifest,
    digest: digestOf(front.manifest),
    signatures,
    verified: signatures.some((signature) => signature.state === 'verified'),
    chunks,
    fetch,
    resolve: async (reference) => resolveImage(manifest, reference),
    hasBlob: (digest) => entries.has(blobPath(digest)),
    readEntry: (entry, options = {}) =>
      entry.path === 'chunks' ? whole(medium, entry) : readChunks(entry, chunks, options),
    close: () => medium.close(),
  };
}

/** The chunk table, checked by its digest; oci-layout and index.json must be what follows from bundle.json. */
async function readGenerated(medium: Medium, manifest: BundleManifest): Promise<ChunkTable> {
  const [tableEntry, layoutEntry, indexEntry] = manifest.entries;
  if (!tableEntry || !layoutEntry || !indexEntry)
    throw new AirgapError('BUNDLE_CORRUPT', 'bundle.json names no entries');
  if (tableEntry.size !== chunkTableSize(manifest.entries)) throw damaged(tableEntry, medium);
  const table = await medium.readBody(tableEntry.path, 0, tableEntry.size);
  if (digestOf(table) !== tableEntry.digest) throw damaged(tableEntry, medium);
  for (const [entry, expected] of [
    [layoutEntry, OCI_LAYOUT_BYTES] as const,
    [indexEntry, indexJson(manifest.images)] as const,
  ]) {
    const found =
      entry.size === expected.byteLength ? await medium.readBody(entry.path, 0, entry.size) : Buffer.alloc(0);
    if (entry.digest !== digestOf(expected) || !found.equals(expected)) throw damaged(entry, medium);
  }
  return chunkTable(manifest, table);
}

function chunkReader(medium: Medium, table: ChunkTable): ChunkReader {
  return {
    of: (entry, start) => table.chunks(entry.path, start),
    read: async (entry, chunk, into) => {
      const bytes = await medium.readBody(entry.path, chunk.start, chunk.size, into);
      return createHash('sha256').update(bytes).digest().equals(chunk.hash) ? bytes : undefined;
    },
    locate: (entry, chunk) => medium.locate(entry.path, chunk.start),
  };
}

async function* readChunks(entry: BundleEntry, chunks: ChunkReader, options: FetchOptions): AsyncGenerator<Buffer> {
  const start = options.start ?? 0;
  const queue = chunks.of(entry, start)[Symbol.iterator]();
  const next = (): { chunk: Chunk; bytes: Promise<Buffer | undefined> } | undefined => {
    const { value } = queue.next() as IteratorResult<Chunk, undefined>;
    if (!value) return undefined;
    const bytes = chunks.read(entry, value);
    bytes.catch(() => undefined); // awaited below, unless the consumer stops early
    return { chunk: value, bytes };
  };
  let pending = next();
  while (pending) {
    const { chunk, bytes } = pending;
    const good = await bytes;
    options.signal?.throwIfAborted();
    if (!good)
      throw new AirgapError(
        'BUNDLE_CORRUPT',
        `${entry.path} is damaged (${chunks.locate(entry, chunk)}, ${chunk.size} bytes)`,
        { details: { entry: entry.path, start: chunk.start, size: chunk.size } },
      );
    pending = next();
    yield start > chunk.start ? good.subarray(start - chunk.start) : good;
  }
}

async function* readBlobEntry(
  entry: BundleEntry | undefined,
  from: { descriptor: Descriptor; chunks: ChunkReader; options: FetchOptions },
): AsyncGenerator<Buffer> {
  if (!entry) throw new AirgapError('CONTENT_MISSING', `the bundle does not hold ${from.descriptor.digest}`);
  yield* readChunks(entry, from.chunks, from.options);
}

/** Its digest was checked when the bundle was opened. */
async function* whole(medium: Medium, entry: BundleEntry): AsyncGenerator<Buffer> {
  yield await medium.readBody(entry.path, 0, entry.size);
}

function resolveImage(manifest: BundleManifest, reference: string): Descriptor {
  const name = formatReference(parseReference(reference));
  const image = manifest.images.find((candidate) => candidate.name === name);
  if (!image) throw new AirgapError('CONTENT_MISSING', `the bundle does not hold the image ${name}`);
  const { mediaType, digest, size } = image;
  return { mediaType, digest, size };
}

function damaged(entry: BundleEntry, medium: Medium): AirgapError {
  return new AirgapError('BUNDLE_CORRUPT', `${entry.path} is not what was signed (${medium.locate(entry.path, 0)})`, {
    details: { entry: entry.path },
  });
}
