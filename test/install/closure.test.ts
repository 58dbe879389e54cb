import { describe, expect, test } from 'vitest';
import { encodeLock, LOCK_FILE, type Lock } from '../../src/bundle/lock.ts';
import type { BundleImage } from '../../src/bundle/manifest.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { bundleClosure, type ReadableBundle } from '../../src/install/closure.ts';
import { contentOf } from '../../src/oci/content.ts';
import { lockFor } from '../support/locks.ts';
import { pack } from '../support/pack.ts';
import { randomIndex, type Graph } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const elastic = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana'], monitoring: false };
const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';

interface Held {
  readonly lock: Lock;
  readonly graphs: Readonly<Record<string, Graph>>;
}

/** A lock that follows from `elastic`, and content that has its digests. */
function whole(): Held {
  const made = lockFor({ elastic });
  const graphs = Object.fromEntries(made.images.map(({ name }) => [name, randomIndex(name, { layerSize: 50 })]));
  const images = made.images.map((image) => ({ ...image, ...graphs[image.name]!.root }));
  return { lock: { ...made, images }, graphs };
}

function bundleOf({ lock, graphs }: Held, lost: readonly Digest[] = []): ReadableBundle {
  const { manifest } = pack({ images: graphs });
  const lockBytes = encodeLock(lock);
  const blobs = new Map(
    [lockBytes, ...Object.values(graphs).flatMap((graph) => graph.blobs.map(({ bytes }) => bytes))]
      .map((bytes): [Digest, Buffer] => [digestOf(bytes), bytes])
      .filter(([digest]) => !lost.includes(digest)),
  );
  const file = { name: LOCK_FILE, mediaType: 'application/yaml', digest: digestOf(lockBytes), size: lockBytes.length };
  return {
    manifest: { ...manifest, lock: file.digest, files: [file] },
    hasBlob: (digest) => blobs.has(digest),
    fetch: ({ digest }, { start = 0 } = {}) => contentOf(blobs.get(digest) ?? Buffer.alloc(0)).open(start),
  };
}

describe('a bundle', () => {
  test('is complete by what it holds', async () => {
    const closure = await bundleClosure(bundleOf(whole()));
    expect(closure).toMatchObject({ eck: '3.5.0', missing: [] });
  });

  test('with another image under the name than the lock pins lacks that one', async () => {
    const { lock, graphs } = whole();
    const bundle = bundleOf({ lock, graphs: { ...graphs, [KIBANA]: randomIndex('another', { layerSize: 50 }) } });
    expect((await bundleClosure(bundle)).missing).toMatchObject([{ image: KIBANA, platforms: [] }]);
  });

  test('that says it has a platform which the index does not have lacks it', async () => {
    const { lock, graphs } = whole();
    const graph = randomIndex('one platform', { platforms: ['linux/amd64'], layerSize: 50 });
    const images = lock.images.map((image) => (image.name === KIBANA ? { ...image, ...graph.root } : image));
    const bundle = bundleOf({ lock: { ...lock, images }, graphs: { ...graphs, [KIBANA]: graph } });
    const claims = (image: BundleImage): BundleImage => ({ ...image, platforms: ['linux/amd64', 'linux/arm64'] });
    const claiming = { ...bundle, manifest: { ...bundle.manifest, images: bundle.manifest.images.map(claims) } };
    expect((await bundleClosure(claiming)).missing).toMatchObject([{ image: KIBANA, platforms: ['linux/arm64'] }]);
  });

  test('without a layer, or without its lock, is incomplete', async () => {
    const held = whole();
    const [layer] = held.graphs[KIBANA]?.blobs ?? [];
    const error = await rejected(bundleClosure(bundleOf(held, layer && [layer.descriptor.digest])));
    expect(error.code).toBe('BUNDLE_INCOMPLETE');
    expect(error.message).toContain(KIBANA);
    const bundle = bundleOf(held);
    const unlocked = { ...bundle, manifest: { ...bundle.manifest, files: [] } };
    expect((await rejected(bundleClosure(unlocked))).code).toBe('BUNDLE_INCOMPLETE');
  });
});
