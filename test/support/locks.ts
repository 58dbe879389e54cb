// Locks as `lock` would write them, made without a registry: every image has the digest of its name.
import { wantedBySpec } from '../../src/build/wanted-by-spec.ts';
import type { Lock, LockedFile } from '../../src/bundle/lock.ts';
import { parseSpec, specDigest } from '../../src/bundle/spec.ts';
import { digestOf } from '../../src/core/digest.ts';
import { OCI_INDEX } from '../../src/oci/media-types.ts';

export const PLATFORMS = ['linux/amd64', 'linux/arm64'];

export interface LockOptions {
  /** The section of airgap.yaml. */
  readonly elastic?: object;
  readonly images?: readonly string[];
  readonly platforms?: 'all' | readonly string[];
  /** File name to the images that it names. */
  readonly files?: Readonly<Record<string, readonly string[]>>;
  /** Text of the catalogue file. */
  readonly catalogue?: string;
}

/** @throws what the catalogue refuses */
export function lockFor({ elastic, images = [], platforms = PLATFORMS, files = {}, catalogue }: LockOptions): Lock {
  const text = JSON.stringify({
    apiVersion: 'eck-airgap/v1',
    kind: 'BundleSpec',
    metadata: { name: 'site' },
    platforms,
    images,
    ...(elastic === undefined ? {} : { elastic }),
  });
  const spec = parseSpec(text, 'airgap.yaml');
  const catalogueFile = catalogue === undefined ? undefined : { text: catalogue, where: 'catalogue.yaml' };
  const wanted = wantedBySpec(spec, { catalogueFile });
  return {
    apiVersion: 'eck-airgap/v1',
    kind: 'Lock',
    metadata: spec.metadata,
    spec: specDigest(spec),
    platforms: spec.platforms,
    ...(wanted.selection === undefined ? {} : { selection: wanted.selection }),
    images: wanted.images.map(({ name, platforms: own, uses }) => ({
      name,
      digest: digestOf(Buffer.from(name)),
      mediaType: OCI_INDEX,
      size: 100,
      platforms: own === 'all' ? [...PLATFORMS] : [...own],
      ...(uses === undefined ? {} : { uses: [...uses] }),
      totalSize: 100,
      verified: 'none',
      accompanying: [],
    })),
    files: Object.entries(files).map(([name, named]): LockedFile => {
      const digest = digestOf(Buffer.from(name));
      return { name, path: name, digest, size: 1, verified: 'none', images: [...named] };
    }),
  };
}
