// airgap.lock.yaml (Lock): every tag as a digest, every file as size and hash, so that a bundle is a function of this file
// alone. No clock and no host of a mirror is in it. Made to be reviewed and committed.
import { dump } from 'js-yaml';
import * as v from 'valibot';
import { isDigest, type Digest } from '../core/digest.ts';
import { recordableUrl } from '../core/url-text.ts';
import { parseDocument } from './document.ts';
import { API_VERSION, BundleName, FileName } from './manifest.ts';
import { FlavourName, PackageRegistryMode } from './spec-values.ts';

const DigestSchema = v.custom<Digest>(isDigest, 'is not a sha256 digest');
const Size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Node = { digest: DigestSchema, mediaType: v.string(), size: Size };

/** What was chosen of the catalogue, with every default filled in: enough to prove offline that nothing of it is missing. */
const SelectionSchema = v.strictObject({
  /** Version of the ECK operator. */
  eck: v.string(),
  /** Versions of the Stack. */
  stack: v.array(v.string()),
  /** Each component in each version it is carried in. */
  components: v.array(v.strictObject({ name: v.string(), version: v.string() })),
  flavour: FlavourName,
  packageRegistry: PackageRegistryMode,
  /** Whether the images of Stack monitoring are carried for what can be monitored. */
  monitoring: v.boolean(),
  /** Version of eck-diagnostics whose images are carried. */
  diagnostics: v.exactOptional(v.string()),
  /** Text of the catalogue file that the choice was made with. */
  catalogue: v.exactOptional(v.string()),
});

/** What vouched for a thing upstream: a key, or a checksum that was published or asked for. `none` is a fact to review, too. */
const VerifiedSchema = v.union([
  v.literal('none'),
  /** `cosign`: the key's SPKI as sha256:<hex>. `fingerprint`: it is itself the OpenPGP key of that pinned fingerprint. */
  v.strictObject({ by: v.picklist(['cosign', 'fingerprint']), key: v.string() }),
  /** URL of the list that has the checksum, or airgap.yaml. */
  v.strictObject({ by: v.literal('checksum'), from: v.string() }),
]);

/** What a thing is there for, where it follows from the catalogue or from another thing. */
const UseSchema = v.strictObject({
  /** Of the catalogue, or the file or chart that names it. */
  component: v.string(),
  version: v.exactOptional(v.string()),
  why: v.string(),
  /** ECK would ask for another name: the resource must say this one in `.spec.image`. */
  needsSpecImage: v.exactOptional(v.literal(true)),
});

/**
 * The URL is recorded without its query, which may be a signature or a token: `build` takes it from airgap.yaml, or from the
 * index of the chart's repository.
 */
const QueryWithheld = v.exactOptional(v.literal(true));

const Address = v.pipe(
  v.string(),
  v.check((text) => URL.canParse(text), 'is not a URL'),
);

/** Where a chart came from. It is carried as an OCI artifact, which follows from these bytes. */
const LockedChartSchema = v.strictObject({
  name: v.string(),
  version: v.string(),
  /** Address of the archive, or its path where it is a file of the user's. */
  url: v.exactOptional(Address),
  queryWithheld: QueryWithheld,
  path: v.exactOptional(v.string()),
  /** Of the archive. */
  digest: DigestSchema,
  size: Size,
});

const LockedImageSchema = v.strictObject({
  name: v.string(),
  /** The reference that it was taken from, where that is not its name (`sources` of airgap.yaml). */
  from: v.exactOptional(v.string()),
  /** What is pushed under the tag, as `digest`, `mediaType`, `size` (of the manifest, in bytes). */
  ...Node,
  /** What the tag named upstream, where only some of its platforms are taken. */
  original: v.exactOptional(v.strictObject(Node)),
  platforms: v.array(v.string()),
  /** Children of the original index that are not carried, since upstream does not have them: attestations, no images. */
  without: v.exactOptional(v.array(DigestSchema)),
  uses: v.exactOptional(v.array(UseSchema)),
  /** No image, so that container runtimes need not try to unpack it (a chart, for example). */
  artifact: v.exactOptional(v.literal(true)),
  /** Where it is a Helm chart. */
  chart: v.exactOptional(LockedChartSchema),
  /** Images that it names: a chart. */
  images: v.exactOptional(v.array(v.string())),
  /** What of it could not be read for images: each the rest of a sentence about it. */
  unread: v.exactOptional(v.array(v.string())),
  /** Bytes of everything below, shared layers counted for each image. */
  totalSize: Size,
  verified: VerifiedSchema,
  /** Attestations, signatures and other referrers, pinned with it. */
  accompanying: v.array(
    v.strictObject({ ...Node, artifactType: v.exactOptional(v.string()), tag: v.exactOptional(v.string()) }),
  ),
});

const LockSchema = v.strictObject({
  apiVersion: v.literal(API_VERSION),
  kind: v.literal('Lock'),
  metadata: v.strictObject({ name: BundleName }),
  /** Grows with each lock that says something else; a lock of an earlier release has none. */
  sequence: v.exactOptional(Size),
  /** Digest of what airgap.yaml asked for. */
  spec: DigestSchema,
  platforms: v.union([v.literal('all'), v.array(v.string())]),
  /** Absent where nothing was chosen of the catalogue. */
  selection: v.exactOptional(SelectionSchema),
  images: v.array(LockedImageSchema),
  files: v.array(
    v.strictObject({
      name: FileName,
      /** Where it is downloaded from, or its path where it is a file of the user's. */
      url: v.exactOptional(Address),
      queryWithheld: QueryWithheld,
      path: v.exactOptional(v.string()),
      digest: DigestSchema,
      size: Size,
      verified: VerifiedSchema,
      uses: v.exactOptional(v.array(UseSchema)),
      /** Images that it names: an operator manifest. */
      images: v.exactOptional(v.array(v.string())),
      /** As for images. */
      unread: v.exactOptional(v.array(v.string())),
    }),
  ),
});

export type Lock = v.InferOutput<typeof LockSchema>;
export type LockedImage = Lock['images'][number];
export type LockedFile = Lock['files'][number];
export type LockedChart = NonNullable<LockedImage['chart']>;
export type Verified = LockedImage['verified'];
export type Use = NonNullable<LockedImage['uses']>[number];
export type LockedSelection = NonNullable<Lock['selection']>;

export { LOCK_FILE, OWN_FILES, PROVENANCE_FILE, SBOM_FILE } from './own-files.ts';

const HEADER = '# Made by "eck-airgap lock". Review it, commit it, do not edit it.\n';

/** Stable bytes: images and files by name, keys in the schema's order. */
export function encodeLock(lock: Lock): Buffer {
  return Buffer.from(HEADER + dump(v.parse(LockSchema, sortedLock(lock)), { lineWidth: -1, noRefs: true }), 'utf8');
}

/** Images and files by name. */
export function sortedLock(lock: Lock): Lock {
  return { ...lock, images: [...lock.images].sort(byName), files: [...lock.files].sort(byName) };
}

/** @throws CONFIG_INVALID */
export function parseLock(text: string, where: string): Lock {
  return parseDocument(LockSchema, text, where);
}

/** How a URL is recorded: without what may be a secret in it. */
export function recordedUrl(text: string): { url: string; queryWithheld?: true } {
  const url = recordableUrl(text);
  return new URL(text).search === '' ? { url } : { url, queryWithheld: true };
}

/** Names of what is recorded with more of a URL than a lock may hold, as older releases did. */
export function unrecordable({ images, files }: Pick<Lock, 'images' | 'files'>): string[] {
  const charts = images.map(({ name, verified, chart }) => ({ name, verified, url: chart?.url }));
  const from = (verified: Verified): string | undefined =>
    verified !== 'none' && verified.by === 'checksum' ? verified.from : undefined;
  return [...charts, ...files]
    .filter(({ url, verified }) => [url, from(verified)].some((text) => text !== undefined && !isRecordable(text)))
    .map(({ name }) => name);
}

function isRecordable(text: string): boolean {
  return !URL.canParse(text) || recordableUrl(text) === text;
}

/** For people: what it is there for, without why. */
export function describeUse({ component, version }: Pick<Use, 'component' | 'version'>): string {
  return version === undefined ? component : `${component} ${version}`;
}

/** For people: the key or list that vouched, or `none`. */
export function describeVerified(verified: Verified): string {
  if (verified === 'none') return 'none';
  return verified.by === 'checksum' ? `checksum in ${verified.from}` : `${verified.by} ${verified.key}`;
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
