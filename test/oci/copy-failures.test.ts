import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { Semaphore } from '../../src/core/pool.ts';
import { contentOf } from '../../src/oci/content.ts';
import { copyGraph, walkGraph } from '../../src/oci/copy.ts';
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { memoryTarget, type MemoryTarget } from '../../src/oci/memory.ts';
import type { Fetcher, Store } from '../../src/oci/target.ts';
import { counting } from '../support/counting.ts';
import { randomImage, randomIndex, storeGraph, type Graph } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function sourceOf(...graphs: readonly Graph[]): Promise<MemoryTarget> {
  const source = memoryTarget();
  for (const graph of graphs) await storeGraph(source, graph);
  return source;
}

/** `target`, but pushes go through `push` first. */
function before(target: Store, push: (descriptor: Descriptor) => Promise<void>): Store {
  return {
    fetch: (descriptor, options) => target.fetch(descriptor, options),
    exists: (descriptor, options) => target.exists(descriptor, options),
    push: async (descriptor, content, options) => {
      await push(descriptor);
      await target.push(descriptor, content, options);
    },
  };
}

/** Stores a document of its own making, and answers what names it. */
async function stored(source: MemoryTarget, document: unknown, mediaType: string): Promise<Descriptor> {
  const bytes = canonicalJson(document);
  const descriptor = descriptorOf(bytes, mediaType);
  await source.push(descriptor, contentOf(bytes));
  return descriptor;
}

const indexOf = (...manifests: readonly Descriptor[]): unknown => ({
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests,
});

describe('a failure', () => {
  const images = Array.from({ length: 20 }, (_, i) => randomImage(`failure/${i}`));
  const roots = images.map(({ root }) => root);

  test('stops the rest: nothing more is read or pushed, then or later, though nobody minds the signal', async () => {
    const full = new Error('the disk is full');
    const inner = await sourceOf(...images);
    const source = counting({ ...inner, fetch: (descriptor) => inner.fetch(descriptor) });
    const target = memoryTarget();
    let pushed = 0;
    const store = counting(
      before(target, async () => {
        await turn();
        if (++pushed === 3) throw full;
      }),
    );
    await expect(copyGraph(source, store, roots, { transfers: new Semaphore(2) })).rejects.toBe(full);
    const counts = [source.fetches.total(), store.pushes.total(), target.blobs.size];
    for (let i = 0; i < 10; i++) await turn();
    expect([source.fetches.total(), store.pushes.total(), target.blobs.size]).toEqual(counts);
    expect(store.pushes.total()).toBeLessThanOrEqual(4);
  });

  test('of a manifest to be read lets no other be read', async () => {
    const source = counting({ ...memoryTarget() });
    expect((await rejected(copyGraph(source, memoryTarget(), roots, { transfers: new Semaphore(1) }))).code).toBe(
      'CONTENT_MISSING',
    );
    expect(source.fetches.total()).toBe(1);
  });

  test('is the first one, though others follow from it', async () => {
    const first = new Error('first');
    const store: Store = {
      ...before(memoryTarget(), async () => undefined),
      push: async (_descriptor, _content, options) => {
        if (options?.signal?.aborted) throw new Error('follows');
        const others = new Promise<void>((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => reject(new Error('follows')));
        });
        await Promise.race([others, turn().then(() => Promise.reject(first))]);
      },
    };
    await expect(copyGraph(await sourceOf(...images), store, roots)).rejects.toBe(first);
  });

  test('leaves no parent without its children', async () => {
    const index = randomIndex('half');
    for (let failAt = 0; failAt < index.blobs.length; failAt++) {
      const target = memoryTarget();
      let pushed = 0;
      const store = before(target, async () => {
        if (pushed++ === failAt) throw new Error('cut off');
      });
      await expect(copyGraph(await sourceOf(index), store, [index.root])).rejects.toThrow('cut off');
      expect(target.blobs.has(index.root.digest)).toBe(false);
      const result = await copyGraph(await sourceOf(index), target, [index.root]);
      expect(result.skipped).toBeGreaterThanOrEqual(failAt > 4 ? 1 : 0);
      expect(target.blobs.has(index.root.digest)).toBe(true);
    }
  });
});

describe("the caller's abort", () => {
  const reason = new Error('enough');
  const image = randomImage('aborted');

  test('before the start lets nothing happen', async () => {
    const [source, store] = [counting(await sourceOf(image)), counting(memoryTarget())];
    await expect(copyGraph(source, store, [image.root], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect([source.fetches.total(), store.asked.total(), store.pushes.total()]).toEqual([0, 0, 0]);
  });

  test('reaches source and target, and its reason is what is thrown, whatever they throw', async () => {
    const stop = new AbortController();
    const target = memoryTarget();
    let told = 0;
    const store: Store = {
      ...before(target, async () => undefined),
      push: async (_descriptor, _content, options) => {
        options?.signal?.addEventListener('abort', () => told++);
        await turn();
        stop.abort(reason);
        throw new Error('the socket was closed');
      },
    };
    await expect(copyGraph(await sourceOf(image), store, [image.root], { signal: stop.signal })).rejects.toBe(reason);
    expect(told).toBeGreaterThan(0);
  });

  test('ends a walk', async () => {
    const walk = walkGraph(await sourceOf(image), [image.root], { signal: AbortSignal.abort(reason) });
    await expect(walk).rejects.toBe(reason);
  });
});

describe('a hostile graph', () => {
  test.each([16, 17])('of %d levels: 16 are allowed', async (levels) => {
    const source = memoryTarget();
    const image = randomImage('deep');
    await storeGraph(source, image);
    let root = image.root; // two levels: the manifest, and its layers
    for (let level = 2; level < levels; level++) root = await stored(source, indexOf(root), OCI_INDEX);
    for (const action of [copyGraph(source, memoryTarget(), [root]), walkGraph(source, [root])]) {
      if (levels <= 16) await action;
      else expect((await rejected(action)).code).toBe('MANIFEST_INVALID');
    }
  });

  test('that says a manifest is larger than any is refused unread', async () => {
    const source = counting(memoryTarget());
    const huge = { ...randomImage('x').root, size: 2 ** 40 };
    expect((await rejected(copyGraph(source, memoryTarget(), [huge]))).code).toBe('MANIFEST_INVALID');
    expect(source.fetches.total()).toBe(0);
  });

  test.each([-1, 1])('whose sizes are wrong by %d never gets a parent into the target', async (difference) => {
    const image = randomImage('sizes');
    for (const place of ['config', 'layer', 'manifest']) {
      const source = await sourceOf(image);
      const lie = ({ size, ...rest }: Descriptor): Descriptor => ({ ...rest, size: size + difference });
      const manifest = JSON.parse(image.blobs.at(-1)!.bytes.toString()) as { config: Descriptor; layers: Descriptor[] };
      if (place === 'config') manifest.config = lie(manifest.config);
      if (place === 'layer') manifest.layers[0] = lie(manifest.layers[0]!);
      const honest = await stored(source, manifest, OCI_MANIFEST);
      const root = place === 'manifest' ? lie(honest) : honest;
      const target = memoryTarget();
      expect((await rejected(copyGraph(source, target, [root]))).code).toBe('DIGEST_MISMATCH');
      expect(target.blobs.has(root.digest)).toBe(false);
    }
  });

  const image = randomImage('two ways');
  const [layer] = image.blobs;
  test.each<[string, Descriptor, Descriptor]>([
    ['with two sizes', layer!.descriptor, { ...layer!.descriptor, size: layer!.descriptor.size + 1 }],
    ['as a layer and as a manifest', { ...image.root, mediaType: layer!.descriptor.mediaType }, image.root],
    ['as a manifest and as a layer', image.root, { ...image.root, mediaType: layer!.descriptor.mediaType }],
  ])('that names one digest %s is refused, not half copied', async (_case, one, other) => {
    const source = await sourceOf(image);
    const root = await stored(source, indexOf(one, other), OCI_INDEX);
    const target = memoryTarget();
    expect((await rejected(copyGraph(source, target, [root]))).code).toBe('MANIFEST_INVALID');
    expect(target.blobs.has(root.digest)).toBe(false);
    expect((await rejected(walkGraph(source, [root]))).code).toBe('MANIFEST_INVALID');
  });

  test('may name one digest with several media types of layers, which is no fault', async () => {
    const source = await sourceOf(image);
    const other = { ...layer!.descriptor, mediaType: 'application/octet-stream' };
    const root = await stored(source, indexOf(layer!.descriptor, other), OCI_INDEX);
    expect(await copyGraph(source, memoryTarget(), [root])).toMatchObject({ copied: 2 });
  });

  test('whose source serves one thing for another is DIGEST_MISMATCH', async () => {
    const source: Fetcher = { fetch: () => contentOf(Buffer.from('{}')).open(0) };
    expect((await rejected(copyGraph(source, memoryTarget(), [image.root]))).code).toBe('DIGEST_MISMATCH');
    expect((await rejected(walkGraph(source, [image.root]))).code).toBe('DIGEST_MISMATCH');
  });
});

test('indexes of indexes with more manifests than an image can have are refused, however they are walked', async () => {
  const source = memoryTarget();
  const inner = await Promise.all(
    Array.from({ length: 6 }, async (_, i) => {
      const children = Array.from({ length: 900 }, (__, n) =>
        stored(source, { schemaVersion: 2, manifests: [], annotations: { n: `${i}/${n}` } }, OCI_INDEX),
      );
      return stored(source, indexOf(...(await Promise.all(children))), OCI_INDEX);
    }),
  );
  const root = await stored(source, indexOf(...inner), OCI_INDEX);
  expect((await rejected(walkGraph(source, [root]))).code).toBe('MANIFEST_INVALID');
  expect((await rejected(copyGraph(source, memoryTarget(), [root]))).code).toBe('MANIFEST_INVALID');
});
