// Manifests and indexes (OCI image-spec manifest.md and image-index.md; Docker schema 2). The bytes received are the
// identity; what is parsed here is only a view of them, in which null is the same as absent. `successors` is the one place
// that knows what points to what.
import * as v from 'valibot';
import { isDigest, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { readBlob } from './content.ts';
import type { Descriptor } from './descriptor.ts';
import { isImageManifestType, isIndexType, isManifestType } from './media-types.ts';
import type { Fetcher, FetchOptions } from './target.ts';

/** Half of a surrogate pair, which JSON can escape, is read as U+FFFD, as programs in Go read it. */
const Text = v.pipe(
  v.string(),
  v.transform((text) => text.toWellFormed()),
);

/** A table in which null stands for what is absent: programs in Go write it so, and read it so. */
function tableOf<E extends v.ObjectEntries>(entries: E) {
  return v.pipe(
    v.unknown(),
    v.transform((value) => withoutAbsent(value, ['artifactType'])),
    v.object(entries),
  );
}

/** A list that Go writes as null when there is nothing in it. The key itself is required. */
function listOf<S extends v.GenericSchema>(item: S) {
  return v.pipe(
    v.nullable(v.array(item)),
    v.transform((list) => list ?? []),
  );
}

/** What is shown, and stands in a bundle. */
const Plain = v.pipe(v.string(), v.regex(/^[\x20-\x7e]{0,255}$/, 'is not a short text in ASCII'));

const PlatformSchema = tableOf({
  os: Plain,
  architecture: Plain,
  variant: v.exactOptional(Plain),
  'os.version': v.exactOptional(Text),
  'os.features': v.exactOptional(v.array(Text)),
});

const Annotations = v.pipe(
  v.unknown(),
  v.transform((value) => withoutAbsent(value)),
  v.record(Text, Text),
);

// Registries are met with keys the specification does not know, so foreign documents are read tolerantly.
const DescriptorSchema = tableOf({
  mediaType: Plain,
  digest: v.custom<Digest>(isDigest, 'not a sha256 digest'),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  annotations: v.exactOptional(Annotations),
  platform: v.exactOptional(PlatformSchema),
  artifactType: v.exactOptional(Plain),
  urls: v.exactOptional(v.array(Text)),
});

const ManifestSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.exactOptional(Text),
  artifactType: v.exactOptional(Plain),
  config: DescriptorSchema,
  layers: listOf(DescriptorSchema),
  subject: v.exactOptional(DescriptorSchema),
  annotations: v.exactOptional(Annotations),
});

const IndexSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.exactOptional(Text),
  artifactType: v.exactOptional(Plain),
  manifests: listOf(DescriptorSchema),
  subject: v.exactOptional(DescriptorSchema),
  annotations: v.exactOptional(Annotations),
});

const ForeignSchema = tableOf({
  digest: v.pipe(v.string(), v.regex(/^(?:sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}|blake3:[0-9a-f]{64})$/)),
  artifactType: v.exactOptional(Text),
  annotations: v.exactOptional(Annotations),
  platform: v.exactOptional(PlatformSchema),
});

/** An image manifest: one image for one platform, or an artifact. `raw` is what was received, to be passed on unchanged. */
export interface Manifest extends v.InferOutput<typeof ManifestSchema> {
  readonly kind: 'manifest';
  readonly raw: Uint8Array;
}

/** An image index (or Docker manifest list). */
export interface Index extends v.InferOutput<typeof IndexSchema> {
  readonly kind: 'index';
  readonly raw: Uint8Array;
  /** Children left out of `manifests`, where the caller takes that (`foreign`). */
  readonly foreign?: readonly ForeignDescriptor[];
}

/** A child of an index that nobody can fetch here: its digest is by another algorithm than sha256. */
export type ForeignDescriptor = v.InferOutput<typeof ForeignSchema>;

export interface ParseOptions {
  /** Put children with digests of other algorithms apart, where the index is refused by default. */
  readonly foreign?: boolean;
}

/**
 * Parses what `mediaType` says the bytes are. A document whose own `mediaType` says otherwise, or that is a manifest and
 * an index at once, is refused (GHSA-qq97-vm5h-rrhg).
 * @throws MANIFEST_INVALID
 */
export function parseManifest(raw: Uint8Array, mediaType: string, options: ParseOptions = {}): Manifest | Index {
  const isIndex = isIndexType(mediaType);
  if (!isIndex && !isImageManifestType(mediaType))
    throw invalid(`unsupported media type ${JSON.stringify(mediaType.slice(0, 100))}`);
  const document = parseObject(raw, isIndex ? 'manifests' : 'layers');
  const own = document['mediaType'];
  if (own !== undefined && own !== mediaType) {
    const said = typeof own === 'string' ? JSON.stringify(own.slice(0, 100)) : `a ${typeof own}`;
    throw invalid(`served as ${mediaType}, says it is ${said}`);
  }
  if (isIndex ? 'config' in document || 'layers' in document : 'manifests' in document) {
    throw invalid('is a manifest and an index at once');
  }
  return isIndex
    ? { kind: 'index', raw, ...parseIndex(document, options) }
    : { kind: 'manifest', raw, ...checked(ManifestSchema, document) };
}

/** Fetches, verifies and parses. @throws CONTENT_MISSING, DIGEST_MISMATCH, MANIFEST_INVALID */
export async function readManifest(
  source: Fetcher,
  descriptor: Descriptor,
  options: FetchOptions & ParseOptions = {},
): Promise<Manifest | Index> {
  return parseManifest(await readBlob(source, descriptor, options), descriptor.mediaType, options);
}

/**
 * What a node points to, in the document's order: an index's children; a manifest's config and layers. A `subject` is not
 * a successor: a referrer may be there without it.
 */
export function successors(node: Manifest | Index): readonly Descriptor[] {
  return node.kind === 'index' ? node.manifests : [node.config, ...node.layers];
}

/** Whether a descriptor names a node with successors rather than a leaf. */
export function isNode(descriptor: Descriptor): boolean {
  return isManifestType(descriptor.mediaType);
}

function parseIndex(
  document: Record<string, unknown>,
  options: ParseOptions,
): Pick<Index, 'foreign'> & v.InferOutput<typeof IndexSchema> {
  const { manifests } = document;
  if (options.foreign !== true || !Array.isArray(manifests)) return checked(IndexSchema, document);
  const children = manifests.map((child: unknown) => ({ child, foreign: v.safeParse(ForeignSchema, child) }));
  const foreign = children.flatMap((one) => (one.foreign.success ? [one.foreign.output] : []));
  const others = children.flatMap((one) => (one.foreign.success ? [] : [one.child]));
  return { ...checked(IndexSchema, { ...document, manifests: others }), ...(foreign.length === 0 ? {} : { foreign }) };
}

/** @param list the key whose null is an empty list */
function parseObject(raw: Uint8Array, list: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw));
  } catch {
    throw invalid('is not JSON in UTF-8');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('is not a JSON object');
  const lists = Object.hasOwn(value, list) ? { [list]: (value as Record<string, unknown>)[list] } : {};
  return { ...(withoutAbsent(value, ['mediaType', 'artifactType']) as object), ...lists };
}

/** The same without members that are null, and without those of `texts` that are empty. */
function withoutAbsent(value: unknown, texts: readonly string[] = []): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key, member]) => member !== null && !(member === '' && texts.includes(key))),
  );
}

function checked<S extends v.GenericSchema>(schema: S, document: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, document);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw invalid(`${v.getDotPath(issue) ?? 'document'}: ${issue.message}`);
}

function invalid(why: string): AirgapError {
  return new AirgapError('MANIFEST_INVALID', `manifest ${why}`);
}
