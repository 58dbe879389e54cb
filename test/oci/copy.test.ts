import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/core/digest.ts';
import { contentOf } from '../../src/oci/content.ts';
import { copyGraph, walkGraph } from '../../src/oci/copy.ts';
import { isNode, parseManifest, successors } from '../../src/oci/manifest.ts';
import { memoryTarget } from '../../src/oci/memory.ts';
import type { Fetcher, Store } from '../../src/oci/target.ts';
import { randomArtifact, randomImage, randomIndex, storeGraph, type Graph } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

async function sourceOf(...graphs: Graph[]): Promise<ReturnType<typeof memoryTarget>> {
  const source = memoryTarget();
  for (const graph of graphs) await storeGraph(source, graph);
  return source;
}

/** Counts what is asked, and checks that children are there before their parent. */
function watching(
  target: ReturnType<typeof memoryTarget>,
): Store & { readonly asked: Digest[]; readonly pushed: Digest[]; most: number } {
  let running = 0;
  const store = {
    asked: [] as Digest[],
    pushed: [] as Digest[],
    most: 0,
    fetch: (...args: Parameters<Store['fetch']>) => target.fetch(...args),
    exists: async (...args: Parameters<Store['exists']>) => {
      store.asked.push(args[0].digest);
      return target.exists(...args);
    },
    push: async (...args: Parameters<Store['push']>) => {
      const [descriptor] = args;
      running++;
      store.most = Math.max(store.most, running);
      await target.push(...args);
      if (isNode(descriptor)) {
        const node = parseManifest(target.blobs.get(descriptor.digest) ?? Buffer.alloc(0), descriptor.mediaType);
        for (const child of successors(node)) expect(target.blobs.has(child.digest)).toBe(true);
      }
      store.pushed.push(descriptor.digest);
      running--;
    },
  };
  return store;
}

describe('copyGraph', () => {
  const index = randomIndex('copy', { attestations: true, layers: ['gzip', 'zstd', 'tar', 'foreign'] });

  test('copies every blob once, children before parents, and tells the bytes', async () => {
    const target = memoryTarget();
    const store = watching(target);
    let progress = 0;
    const result = await copyGraph(await sourceOf(index), store, [index.root], {
      progress: (bytes) => (progress += bytes),
    });
    const distinct = new Set(index.blobs.map(({ descriptor }) => descriptor.digest));
    expect(new Set(store.pushed)).toEqual(distinct);
    expect(store.pushed).toHaveLength(distinct.size);
    expect(result).toMatchObject({ copied: distinct.size, skipped: 0, bytes: progress });
    expect(store.most).toBeLessThanOrEqual(4);
  });

  test('several roots that share blobs share the work; Docker types and artifacts too', async () => {
    const docker = randomIndex('docker', { docker: true });
    const artifact = randomArtifact('thing');
    const target = memoryTarget();
    const store = watching(target);
    await copyGraph(await sourceOf(index, docker, artifact), store, [
      index.root,
      index.root,
      docker.root,
      artifact.root,
    ]);
    expect(new Set(store.pushed).size).toBe(store.pushed.length);
    expect(target.blobs.has(docker.root.digest) && target.blobs.has(artifact.root.digest)).toBe(true);
  });

  test('asks for every node, so a lost child is mended although its parent is there', async () => {
    const source = await sourceOf(index);
    const target = memoryTarget();
    await copyGraph(source, target, [index.root]);
    const [lost] = index.blobs;
    (target.blobs as Map<Digest, Uint8Array>).delete(lost?.descriptor.digest as Digest);
    const store = watching(target);
    expect(await copyGraph(source, store, [index.root])).toMatchObject({ copied: 1 });
    expect(store.pushed).toEqual([lost?.descriptor.digest]);
  });

  test('the first failure stops the rest, and is what is thrown', async () => {
    const source = await sourceOf(index);
    const broken = index.blobs[3]?.descriptor.digest;
    const failing: Fetcher = {
      async *fetch(descriptor, options) {
        if (descriptor.digest === broken) yield Buffer.from('wrong');
        else yield* source.fetch(descriptor, options);
      },
    };
    const target = memoryTarget();
    expect((await rejected(copyGraph(failing, target, [index.root]))).code).toBe('DIGEST_MISMATCH');
    const after = target.blobs.size;
    await new Promise((resolve) => setImmediate(resolve));
    expect(target.blobs.size).toBe(after);
    expect(target.blobs.has(index.root.digest)).toBe(false);
  });

  test("an abort ends it with the caller's reason", async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const target = memoryTarget();
    const store: Store = {
      fetch: (descriptor, options) => target.fetch(descriptor, options),
      exists: (descriptor, options) => target.exists(descriptor, options),
      push: async () => stop.abort(reason),
    };
    await expect(copyGraph(await sourceOf(index), store, [index.root], { signal: stop.signal })).rejects.toBe(reason);
  });

  test('a graph deeper than any image is refused', async () => {
    const source = memoryTarget();
    let graph = randomImage('deep');
    await storeGraph(source, graph);
    for (let level = 0; level < 20; level++) {
      const bytes = Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: index.root.mediaType, manifests: [graph.root] }),
      );
      const { descriptorOf } = await import('../../src/oci/descriptor.ts');
      const root = descriptorOf(bytes, index.root.mediaType);
      await source.push(root, contentOf(bytes));
      graph = { root, blobs: [] };
    }
    expect((await rejected(copyGraph(source, memoryTarget(), [graph.root]))).code).toBe('MANIFEST_INVALID');
    expect((await rejected(walkGraph(source, [graph.root]))).code).toBe('MANIFEST_INVALID');
  });
});

test('walkGraph names each descriptor once, children first', async () => {
  const index = randomIndex('walk', { attestations: true });
  const found = await walkGraph(await sourceOf(index), [index.root, index.root]);
  const digests = found.map(({ digest }) => digest);
  expect(new Set(digests)).toEqual(new Set(index.blobs.map(({ descriptor }) => descriptor.digest)));
  expect(new Set(digests).size).toBe(digests.length);
  expect(digests.at(-1)).toBe(index.root.digest);
});
