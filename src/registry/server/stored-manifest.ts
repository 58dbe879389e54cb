// Descriptors as the referrers API lists them (distribution-spec, "listing referrers").
import type { Digest } from '../../core/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { parseManifest } from '../../oci/manifest.ts';

export interface StoredManifest {
  readonly descriptor: Descriptor;
  readonly subject: Digest | undefined;
}

/** What of a manifest the referrers API tells, read from its bytes. @throws MANIFEST_INVALID */
export function describeManifest({ mediaType, digest, size }: Descriptor, bytes: Uint8Array): StoredManifest {
  const manifest = parseManifest(bytes, mediaType);
  const artifactType = manifest.artifactType ?? (manifest.kind === 'manifest' ? manifest.config.mediaType : undefined);
  const descriptor: Descriptor = {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
  return { descriptor, subject: manifest.subject?.digest };
}

export function referrersOf(manifests: Iterable<StoredManifest>, subject: Digest): Descriptor[] {
  return [...manifests].filter((manifest) => manifest.subject === subject).map((manifest) => manifest.descriptor);
}
