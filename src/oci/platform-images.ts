// The images of a graph by platform, as its index (or the config of a single image) says it: what a container runtime would
// choose from.
import { configPlatform, isAttestation } from './platform-selection.ts';
import type { Descriptor } from './descriptor.ts';
import { readManifest } from './manifest.ts';
import { isImageConfigType, isIndexType } from './media-types.ts';
import { formatPlatform, isPlatform, type Platform } from './platform.ts';
import type { Fetcher } from './target.ts';

export interface PlatformImage {
  readonly platform: string;
  readonly descriptor: Descriptor;
}

/** An index inside an index is deeper than any real one. */
const MAX_DEPTH = 4;

/** In the order of the index; none for an artifact. @throws CONTENT_MISSING, MANIFEST_INVALID */
export async function platformImages(source: Fetcher, root: Descriptor, depth = 0): Promise<PlatformImage[]> {
  const manifest = await readManifest(source, root);
  if (manifest.kind === 'manifest') {
    if (!isImageConfigType(manifest.config.mediaType)) return [];
    return [imageFor(root, await configPlatform(source, manifest, root))];
  }
  const found: PlatformImage[] = [];
  for (const child of manifest.manifests) {
    if (isAttestation(child)) continue;
    const { platform } = child;
    if (platform && isPlatform(platform) && !isIndexType(child.mediaType)) found.push(imageFor(child, platform));
    else if (depth < MAX_DEPTH) found.push(...(await platformImages(source, child, depth + 1)));
  }
  return found;
}

function imageFor({ mediaType, digest, size }: Descriptor, platform: Platform): PlatformImage {
  return { platform: formatPlatform(platform), descriptor: { mediaType, digest, size } };
}
