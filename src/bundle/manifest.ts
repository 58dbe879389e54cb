// bundle.json: the one document that is signed, and from which every other byte of a bundle follows
// (docs/bundle-format.md). Its bytes are canonical JSON (RFC 8785).
import * as v from 'valibot';
import { canonicalJson } from '../core/canonical-json.ts';
import { isDigest, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { holdThread } from '../core/held-thread.ts';
import { isWithin } from '../core/json-bounds.ts';
import { formatReference, isTag, parseReference } from '../oci/reference.ts';
import { isExpiry } from './freshness.ts';
import { brokenRule } from './manifest-rules.ts';

export const API_VERSION = 'eck-airgap/v1';

/** bundle.json is never larger. */
export const BUNDLE_MANIFEST_LIMIT = 64 * 1024 * 1024;
export const MAX_SIGNATURE_SLOTS = 16;

/** Far above any real bundle, and low enough that a hostile one is refused in a second or two. */
const LIMIT = {
  entries: 50_000,
  images: 5000,
  platforms: 100,
  accompanying: 1000,
  files: 10_000,
  installers: 100,
  /** `[`, `{` and `,` outside strings. */
  marks: 500_000,
  /** `{"images":[{"accompanying":[{…}]}]}` */
  depth: 5,
};

const DigestSchema = v.custom<Digest>(isDigest, 'not a sha256 digest');
const Size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Names a bundle, and with it files on the media: safe on FAT and exFAT. */
export const BundleName = v.pipe(
  v.string(),
  v.regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/,
    'a name is 1 to 63 of a-z, 0-9, ".", "_", "-", and begins and ends with a letter or digit',
  ),
);

/** Names a file that a bundle carries: one path component that is safe on every file system. */
export const FileName = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,126}[A-Za-z0-9])?$/,
    'a file name is 1 to 128 of A-Z, a-z, 0-9, ".", "_", "+", "-", and begins and ends with a letter or digit',
  ),
);

const ImageName = v.pipe(v.string(), v.maxLength(1024), v.check(isFullName, 'not a full image reference with a tag'));

/** RFC 6838, with parameters where there are some. */
const MediaType = v.pipe(
  v.string(),
  v.maxLength(255),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?:;[\x20-\x7e]+)?$/,
    'not a media type',
  ),
);

/** Upstream may write anything here. */
const ArtifactType = v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,255}$/, 'not 1 to 255 printable ASCII characters'));

const PlatformName = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x2b\x2d-\x7e]{1,128}$/, 'not 1 to 128 printable ASCII characters without blank and comma'),
);

const Node = { mediaType: MediaType, digest: DigestSchema, size: Size };

const AccompanyingSchema = v.strictObject({
  ...Node,
  artifactType: v.exactOptional(ArtifactType),
  /** The tag it has upstream (cosign's sha256-<hex>.sig); a referrer found by the API has none. */
  tag: v.exactOptional(v.pipe(v.string(), v.check(isTag, 'not a tag'))),
});

const ImageSchema = v.strictObject({
  /** Full original reference with its tag. */
  name: ImageName,
  /** The manifest or index that is pushed under the tag. */
  ...Node,
  /** What the tag named upstream, where that is not what is pushed (an index cut to the wanted platforms). */
  original: v.exactOptional(v.strictObject(Node)),
  platforms: listOf(PlatformName, LIMIT.platforms),
  /** No image (a chart, for example): not listed in index.json, since runtimes would try to unpack it. */
  artifact: v.exactOptional(v.literal(true)),
  /** Attestation children, signatures, other referrers: manifests that travel with the image. */
  accompanying: listOf(AccompanyingSchema, LIMIT.accompanying),
});

const FileSchema = v.strictObject({ name: FileName, ...Node });
const InstallerSchema = v.strictObject({ name: FileName, digest: DigestSchema, size: Size });

/** Paths are a fixed grammar, so that no reader ever needs path logic. */
const EntryPath = v.pipe(
  v.string(),
  v.regex(/^(?:chunks|oci-layout|index\.json|blobs\/sha256\/[0-9a-f]{64})$/, 'not a path that a bundle may hold'),
);

const BundleManifestSchema = v.strictObject({
  apiVersion: v.literal(API_VERSION),
  kind: v.literal('BundleManifest'),
  name: BundleName,
  /** Digest of the lock file, which is among the files. */
  lock: DigestSchema,
  signatureSlots: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(MAX_SIGNATURE_SLOTS)),
  /** All that follows the signature slots, in file order: chunks, oci-layout, index.json, then blobs by digest. */
  entries: listOf(v.strictObject({ path: EntryPath, size: Size, digest: DigestSchema }), LIMIT.entries),
  images: listOf(ImageSchema, LIMIT.images),
  files: listOf(FileSchema, LIMIT.files),
  installers: listOf(InstallerSchema, LIMIT.installers),
  /** Grows with each bundle of a name; for protection against an older bundle. */
  sequence: Size,
  /** The last second in which the bundle may be used (freshness.ts). */
  expires: v.exactOptional(v.pipe(v.string(), v.check(isExpiry, 'not a time in UTC as YYYY-MM-DDTHH:MM:SSZ'))),
});

export type BundleManifest = v.InferOutput<typeof BundleManifestSchema>;
export type BundleEntry = BundleManifest['entries'][number];
export type BundleImage = BundleManifest['images'][number];
export type BundleFile = BundleManifest['files'][number];
export type BundleInstaller = BundleManifest['installers'][number];

/** A list is counted before what is in it is looked at. */
function listOf<S extends v.GenericSchema>(item: S, most: number) {
  return v.pipe(v.array(v.unknown()), v.maxLength(most), v.array(item));
}

/** In the form that it is always written in, so that one image has one name. */
function isFullName(name: string): boolean {
  try {
    const reference = parseReference(name);
    return reference.digest === undefined && formatReference(reference) === name;
  } catch {
    return false;
  }
}

/** Whether an image or referrer may be said to be of this type. */
export function isArtifactType(text: string): boolean {
  return v.is(ArtifactType, text);
}

/** @throws INTERNAL for a manifest that no reader would take */
export function encodeBundleManifest(manifest: BundleManifest): Buffer {
  const bytes = canonicalJson(manifest);
  try {
    parseBundleManifest(bytes);
  } catch (cause) {
    throw new AirgapError('INTERNAL', `a bundle that cannot be written: ${(cause as Error).message}`, { cause });
  }
  return bytes;
}

/**
 * Parses bytes whose signature has been checked (or, for `inspect`, whose content is shown as unverified). Bytes that are
 * not canonical are refused, so that one manifest has one digest.
 * @throws BUNDLE_CORRUPT, FORMAT_UNKNOWN
 */
export function parseBundleManifest(bytes: Uint8Array): BundleManifest {
  return holdThread(() => checkedManifest(bytes));
}

function checkedManifest(bytes: Uint8Array): BundleManifest {
  if (!isWithin(bytes, LIMIT)) throw corrupt('holds more than a bundle.json may');
  const value = parseJson(bytes);
  checkFormat(value);
  // the first fault is enough: there may be millions
  const result = v.safeParse(BundleManifestSchema, value, { abortEarly: true, abortPipeEarly: true });
  if (!result.success) {
    const issue = result.issues[0];
    throw corrupt(shown(`${v.getDotPath(issue) ?? 'document'}: ${issue.message}`));
  }
  if (!canonicalJson(result.output).equals(bytes)) throw corrupt('is not canonical JSON');
  const broken = brokenRule(result.output);
  if (broken !== undefined) throw corrupt(`breaks a rule: ${broken}`);
  return result.output;
}

/** Text of the document, as far as a message needs it: it may have 64 MiB. */
function shown(text: string): string {
  return text.slice(0, 200);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw corrupt('is not JSON in UTF-8');
  }
}

/** A document of another version or kind is not damaged, only unknown here. */
function checkFormat(value: unknown): void {
  const { apiVersion, kind } = (value ?? {}) as { apiVersion?: unknown; kind?: unknown };
  if (apiVersion === API_VERSION && kind === 'BundleManifest') return checkNoDelta(value as object);
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') throw corrupt('has no apiVersion and kind');
  const found = { apiVersion: shown(apiVersion), kind: shown(kind) };
  throw new AirgapError(
    'FORMAT_UNKNOWN',
    `bundle.json is ${JSON.stringify(`${found.apiVersion} ${found.kind}`)}; this program reads ${API_VERSION} BundleManifest`,
    { hint: 'Use the installer that came with the bundle, or a newer one.', details: found },
  );
}

/** Keys of deltas, which mean nothing yet: whoever took such a bundle for a whole one would miss what it leaves to another. */
function checkNoDelta(value: object): void {
  const key = ['absent', 'base'].find((name) => Object.hasOwn(value, name));
  if (key === undefined) return;
  throw new AirgapError('FORMAT_UNKNOWN', `bundle.json has "${key}": it is a delta, for a newer program than this`, {
    hint: 'Use the installer that came with the bundle, or a newer one; or carry a whole bundle.',
    details: { key },
  });
}

function corrupt(what: string): AirgapError {
  return new AirgapError('BUNDLE_CORRUPT', `bundle.json ${what}`, { details: { region: 'bundle.json' } });
}
