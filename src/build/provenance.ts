// How a bundle came to be: an in-toto Statement v1 with a SLSA provenance v1 predicate, as canonical JSON. Its subjects are
// what the bundle holds (the bundle itself holds the statement, so it cannot be one). It has no clock; the signature over
// bundle.json vouches for it.
import { canonicalJson } from '../core/canonical-json.ts';
import { hexOf, type Digest } from '../core/digest.ts';
import type { Lock, LockedChart, LockedImage } from '../bundle/lock.ts';
import type { BundleFile } from '../bundle/manifest.ts';
import { genericPurl, ociPurl } from './purl.ts';
import { TOOL } from './sbom.ts';

export const PROVENANCE_MEDIA_TYPE = 'application/vnd.in-toto+json';

/** Explained in docs/bundle-format.md. */
export const BUILD_TYPE = 'urn:eck-airgap:build:v1';

export interface ProvenanceOptions {
  /** Of this program. */
  readonly version: string;
  readonly lock: Lock;
  readonly lockDigest: Digest;
  /** Files of the bundle but this one. */
  readonly files: readonly BundleFile[];
}

/** A pure function of its options. */
export function encodeProvenance({ version, lock, lockDigest, files }: ProvenanceOptions): Buffer {
  return canonicalJson({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [...lock.images, ...files].map(({ name, digest }) => ({ name, digest: digestSet(digest) })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          name: lock.metadata.name,
          platforms: lock.platforms,
          spec: digestSet(lock.spec),
          lock: digestSet(lockDigest),
        },
        resolvedDependencies: dependencies(lock),
      },
      runDetails: { builder: { id: genericPurl(TOOL), version: { [TOOL]: version } } },
    },
  });
}

/** What was fetched: images as they are named where they were taken from, and files. */
function dependencies({ images, files }: Lock): Record<string, unknown>[] {
  return [
    ...images.map((image) => (image.chart === undefined ? imageDependency(image) : chartDependency(image.chart))),
    ...files.map(({ name, url: uri, digest }) => ({ name, uri, digest: digestSet(digest) })),
  ];
}

function imageDependency({ name, from = name, mediaType, digest, original }: LockedImage): Record<string, unknown> {
  return {
    name: from,
    uri: ociPurl(from, { digest: original?.digest ?? digest }),
    digest: digestSet(original?.digest ?? digest),
    mediaType: original?.mediaType ?? mediaType,
  };
}

/** Its artifact is made here, of its archive. */
function chartDependency({ name, version, url, digest }: LockedChart): Record<string, unknown> {
  return { name: `${name}-${version}.tgz`, uri: url, digest: digestSet(digest) };
}

function digestSet(digest: Digest): { sha256: string } {
  return { sha256: hexOf(digest) };
}
