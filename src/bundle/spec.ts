// airgap.yaml (BundleSpec): what an administrator asks for. Which host the same content is really fetched from (mirrors) is
// not part of what is asked for, so two sites with different mirrors make the same lock and the same bundle. Where other
// content of the same name is taken from (sources) is part of it.
import * as v from 'valibot';
import { canonicalJson } from '../core/canonical-json.ts';
import { digestOf, isDigest, type Digest } from '../core/digest.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { formatReference, isNamePrefix, isRegistryHost, parseReference } from '../oci/reference.ts';
import { formatPlatform, parsePlatform } from '../oci/platform.ts';
import { parseDocument } from './document.ts';
import { API_VERSION, BundleName, FileName } from './manifest.ts';

const ImageReference = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      const reference = parseReference(dataset.value);
      if (reference.tag !== undefined) return formatReference(reference);
      addIssue({ message: 'needs a tag: the enclave pulls images by tag (a digest may follow it)' });
    } catch (error) {
      addIssue({ message: isAirgapError(error) ? error.message : String(error) });
    }
    return NEVER;
  }),
);

const PlatformText = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return formatPlatform(parsePlatform(dataset.value));
    } catch (error) {
      addIssue({
        message: isAirgapError(error) ? `${error.message}; write os/architecture, such as linux/amd64` : String(error),
      });
      return NEVER;
    }
  }),
);

const MirrorUrl = v.pipe(
  v.string(),
  v.check((text) => {
    if (!URL.canParse(text)) return false;
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  }, 'is not an http or https URL without credentials, query and fragment'),
);

const NamePrefix = v.pipe(
  v.string(),
  v.check(isNamePrefix, 'is not host[:port][/path], such as docker.elastic.co or docker.elastic.co/kibana'),
);

/** Another registry's builds, carried under the names that they stand in for. */
const SourceSchema = v.strictObject({
  /** host[:port][/path]. Credentials come from the usual files, by host. */
  registry: NamePrefix,
  /** `prefix`: the same paths below `registry`; `iron-bank`: the paths of Iron Bank there, linux/amd64 alone. */
  layout: v.optional(v.picklist(['prefix', 'iron-bank']), 'prefix'),
});

/** Where something is downloaded from. */
export const WebAddress = v.pipe(
  v.string(),
  v.check((text) => {
    const url = URL.parse(text);
    return url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.hash}` === '';
  }, 'is not an http or https URL without credentials and fragment'),
);

const FilePath = v.pipe(v.string(), v.minLength(1));

/** Images that a manifest or chart names and that are not to be carried. */
const IgnoredImages = v.exactOptional(v.array(v.string()));

const FileSourceSchema = v.pipe(
  v.strictObject({
    /** The name `export` knows it by; the last part of the path or URL by default. */
    name: v.exactOptional(FileName),
    /** A file beside airgap.yaml, or an absolute path. */
    path: v.exactOptional(FilePath),
    /** Where it is downloaded from; its host may have a mirror. */
    url: v.exactOptional(WebAddress),
    /** What its content must be. */
    digest: v.exactOptional(v.custom<Digest>(isDigest, 'is not sha256: and 64 hexadecimal digits')),
    /** Images that it names and that are not to be carried. */
    ignoreImages: IgnoredImages,
  }),
  v.check(({ path, url }) => (path === undefined) !== (url === undefined), 'has not exactly one of "path" and "url"'),
);

const ChartSourceSchema = v.pipe(
  v.strictObject({
    /** A packaged chart (.tgz) beside airgap.yaml, or an absolute path. */
    path: v.exactOptional(FilePath),
    /** URL of a chart repository: where its index.yaml lies. */
    repository: v.exactOptional(WebAddress),
    name: v.exactOptional(v.string()),
    version: v.exactOptional(v.string()),
    /** Images that it names and that are not to be carried. */
    ignoreImages: IgnoredImages,
  }),
  v.check(
    ({ path, repository, name, version }) =>
      [repository, name, version].every((key) => (path === undefined) === (key !== undefined)),
    'has not either "path", or "repository", "name" and "version"',
  ),
);

/** Whose signature images must have. */
const SignatureRuleSchema = v.union([v.literal('none'), v.strictObject({ key: FilePath })]);

const VersionText = v.pipe(
  v.string(),
  v.regex(/^[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?$/, 'is not major.minor.patch, such as 9.5.2'),
);

export const FlavourName = v.picklist(['default', 'ubi', 'wolfi', 'fips', 'ubi-fips']);
export const PackageRegistryMode = v.picklist(['full', 'lite']);

/** What the catalogue of Elastic's images is asked for; its names and versions are for the catalogue to check. */
const ElasticSchema = v.strictObject({
  /** Version of the ECK operator. */
  eck: VersionText,
  /** Versions of the Stack. */
  stack: v.exactOptional(v.pipe(v.array(VersionText), v.minLength(1))),
  /** Names, or names with a version in place of the Stack's. */
  components: v.exactOptional(
    v.array(v.union([v.string(), v.strictObject({ name: v.string(), version: v.exactOptional(VersionText) })])),
  ),
  flavour: v.exactOptional(FlavourName),
  /** All packages, or the small set that ECK takes by default. */
  packageRegistry: v.exactOptional(PackageRegistryMode),
  /** Images of Stack monitoring for what can be monitored; true by default. */
  monitoring: v.exactOptional(v.boolean()),
  /** Images for eck-diagnostics: of a version, or of the newest known one. */
  diagnostics: v.exactOptional(v.union([v.literal(true), VersionText])),
  /** A catalogue file of one's own, beside airgap.yaml. */
  catalogue: v.exactOptional(FilePath),
  /** The licence file that Elastic sent, beside airgap.yaml; carried as licence.json. */
  licence: v.exactOptional(FilePath),
});

/** Without `elastic`, there must be images or charts. */
export const BundleSpecSchema = v.strictObject({
  apiVersion: v.literal(API_VERSION),
  kind: v.literal('BundleSpec'),
  metadata: v.strictObject({ name: BundleName }),
  /** os/architecture pairs, or "all" for whatever each image has. */
  platforms: v.optional(v.union([v.literal('all'), v.pipe(v.array(PlatformText), v.minLength(1))]), () => [
    'linux/amd64',
  ]),
  elastic: v.exactOptional(ElasticSchema),
  /** Images by name, beside those that follow from `elastic`. */
  images: v.optional(v.array(ImageReference), () => []),
  /** Files beside those that follow from `elastic`. */
  files: v.optional(v.array(FileSourceSchema), () => []),
  /** Helm charts beside those that follow from `elastic`; their images come along. */
  charts: v.optional(v.array(ChartSourceSchema), () => []),
  /** What the names of images begin with (whole components, the longest counts) to the registry they are taken from. */
  sources: v.optional(v.record(NamePrefix, SourceSchema), () => ({})),
  /** What the names of images begin with (whole components, the longest counts) to the public key that must have signed them. */
  signatures: v.optional(v.record(NamePrefix, SignatureRuleSchema), () => ({})),
  /** Host (of a registry, of downloads) to the URL that the same content is really fetched from: https://host[:port][/path]. */
  mirrors: v.optional(v.record(v.pipe(v.string(), v.check(isRegistryHost, 'is not a host')), MirrorUrl), () => ({})),
});

export type BundleSpec = v.InferOutput<typeof BundleSpecSchema>;
export type ImageSource = BundleSpec['sources'][string];
export type FileSource = BundleSpec['files'][number];
export type ChartSource = BundleSpec['charts'][number];
export type SignatureRule = BundleSpec['signatures'][string];

/** Parses airgap.yaml; image references and platforms come out in their full form, each once. @throws CONFIG_INVALID */
export function parseSpec(text: string, where: string): BundleSpec {
  const spec = parseDocument(BundleSpecSchema, text, where);
  if (spec.elastic === undefined && spec.images.length + spec.charts.length === 0) throw asksForNothing(where);
  return {
    ...spec,
    images: [...new Set(spec.images)].sort(),
    platforms: spec.platforms === 'all' ? 'all' : [...new Set(spec.platforms)].sort(),
  };
}

/** Texts of the files that a specification names and that decide what is carried, or what is trusted. */
export interface SpecTexts {
  /** The catalogue file (`elastic.catalogue`). */
  readonly catalogue?: string | undefined;
  /** Public keys by path (`signatures`). */
  readonly keys?: Readonly<Record<string, string>>;
}

/** Identifies what is asked for, so that a lock made from another specification is noticed. */
export function specDigest(spec: BundleSpec, { catalogue, keys = {} }: SpecTexts = {}): Digest {
  const { metadata, platforms, images, files, elastic, sources, charts, signatures } = spec;
  return digestOf(
    canonicalJson({
      name: metadata.name,
      platforms,
      images,
      files,
      ...(elastic === undefined ? {} : { elastic }),
      ...(charts.length === 0 ? {} : { charts }),
      ...(Object.keys(sources).length === 0 ? {} : { sources }),
      ...(Object.keys(signatures).length === 0 ? {} : { signatures }),
      ...(catalogue === undefined ? {} : { catalogue: digestOf(Buffer.from(catalogue)) }),
      ...(Object.keys(keys).length === 0 ? {} : { keys }),
    }),
  );
}

function asksForNothing(where: string): AirgapError {
  const fault = 'document: expected "elastic", "images" or "charts", found none of them';
  return new AirgapError('CONFIG_INVALID', `${where} is not valid: ${fault}`, {
    details: { file: where, faults: [fault] },
  });
}
