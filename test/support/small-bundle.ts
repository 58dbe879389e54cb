// A signed bundle of some ten KiB around one generated image: large enough to have every region, small enough to be changed and
// verified thousands of times.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packBundle } from '../../src/build/pack.ts';
import { geometryOf, type Geometry } from '../../src/bundle/geometry.ts';
import type { Lock } from '../../src/bundle/lock.ts';
import { parseBundleManifest, type BundleManifest } from '../../src/bundle/manifest.ts';
import { BLOCK, claimedSize } from '../../src/bundle/tar.ts';
import { writeBundle } from '../../src/bundle/writer.ts';
import { digestOf } from '../../src/core/digest.ts';
import { openCache } from '../../src/oci/cache.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { randomImage, storeGraph } from './random-image.ts';
import { signerOf } from './signer.ts';

export interface SmallBundle {
  readonly bytes: Buffer;
  readonly manifest: BundleManifest;
  readonly geometry: Geometry;
}

export interface SmallBundleOptions {
  readonly privatePem: string;
  /** Bytes of each of its two layers; 300 by default. */
  readonly layerSize?: number;
}

/** @param seed makes what is in it: the same seed, the same bytes but for the signature */
export async function smallBundle(
  seed: string,
  { privatePem, layerSize = 300 }: SmallBundleOptions,
): Promise<SmallBundle> {
  const folder = await mkdtemp(join(tmpdir(), 'eck-airgap-small-'));
  const self = { pid: process.pid, isAlive: () => false };
  try {
    const cache = await openCache(join(folder, 'cache'), { self });
    const image = randomImage(seed, { layerSize });
    await storeGraph(cache, image);
    const packed = await packBundle(lockOf(image.root), cache, { version: '0.0.0' });
    const signer = signerOf(privatePem);
    await writeBundle(packed.manifest, packed, { folder, fileName: 'site.tar', signer, self });
    return parseSmallBundle(await readFile(join(folder, 'site.tar')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param bytes of a bundle that is whole */
export function parseSmallBundle(bytes: Buffer): SmallBundle {
  const size = claimedSize(bytes.subarray(0, BLOCK));
  const manifest = parseBundleManifest(bytes.subarray(BLOCK, BLOCK + size));
  return { bytes, manifest, geometry: geometryOf(size, manifest) };
}

function lockOf({ digest, mediaType, size }: Descriptor): Lock {
  const platforms = ['linux/amd64'];
  const name = 'docker.elastic.co/kibana/kibana:9.5.2';
  const common = { digest, mediaType, size, platforms, totalSize: 0, verified: 'none' as const, accompanying: [] };
  return {
    apiVersion: 'eck-airgap/v1',
    kind: 'Lock',
    metadata: { name: 'site' },
    spec: digestOf(Buffer.from('spec')),
    platforms,
    images: [{ name, ...common }],
    files: [],
  };
}
