// The OCI image layout that a bundle is as well: oci-layout and index.json, functions of the images in bundle.json. Only
// images are listed (docs/adr/0001-index-lists-images-only.md).
import { canonicalJson } from '../core/canonical-json.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import { ORIGINAL_DIGEST } from '../oci/platform-selection.ts';
import type { BundleImage } from './manifest.ts';

export const OCI_LAYOUT_BYTES = canonicalJson({ imageLayoutVersion: '1.0.0' });

/** Every image by its full original reference, which skopeo (ref.name) and containerd (image.name) find it by. */
export function indexJson(images: readonly BundleImage[]): Buffer {
  return canonicalJson({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: images
      .filter((image) => image.artifact !== true)
      .map(({ name, mediaType, digest, size, original }) => ({
        mediaType,
        digest,
        size,
        annotations: {
          'org.opencontainers.image.ref.name': name,
          'io.containerd.image.name': name,
          ...(original === undefined ? {} : { [ORIGINAL_DIGEST]: original.digest }),
        },
      })),
  });
}
