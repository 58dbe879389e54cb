// What is really held of a bundle's images: read from their manifests, in a bundle or in the cache that it will be made
// from, and not from what bundle.json or the lock say of them.
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { forEach } from '../core/pool.ts';
import { walkGraph } from '../oci/copy.ts';
import { platformImages, type PlatformImage } from '../oci/platform-images.ts';
import type { Fetcher } from '../oci/target.ts';
import type { BundleImage } from './manifest.ts';
import type { Bundle } from './reader.ts';

export interface HeldImage extends BundleImage {
  /** In the order of the index; none for an artifact. */
  readonly byPlatform: readonly PlatformImage[];
}

/** In the images' order; `platforms` are those found. @throws CONTENT_MISSING, BUNDLE_CORRUPT, MANIFEST_INVALID */
export async function heldImages(
  source: Fetcher,
  images: readonly BundleImage[],
  { signal }: Activity = {},
): Promise<HeldImage[]> {
  return forEach(
    images,
    async (image) => {
      const { mediaType, digest, size } = image;
      const byPlatform = await platformImages(source, { mediaType, digest, size });
      return { ...image, platforms: [...new Set(byPlatform.map(({ platform }) => platform))], byPlatform };
    },
    { concurrency: 8, signal },
  );
}

/** Every blob of every image is an entry of the bundle. @throws BUNDLE_INCOMPLETE, CONTENT_MISSING, BUNDLE_CORRUPT */
export async function requireBlobs(
  bundle: Pick<Bundle, 'manifest' | 'fetch' | 'hasBlob'>,
  { signal }: Activity = {},
): Promise<void> {
  for (const image of bundle.manifest.images) {
    const roots = [image, ...image.accompanying].map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
    const absent = (await walkGraph(bundle, roots, { signal })).find(({ digest }) => !bundle.hasBlob(digest));
    if (absent === undefined) continue;
    throw new AirgapError('BUNDLE_INCOMPLETE', `${image.name}: ${absent.digest} is not in the bundle`, {
      hint: 'Build the bundle again.',
      details: { image: image.name, digest: absent.digest },
    });
  }
}
