import { describe, expect, test } from 'vitest';
import { Semaphore } from '../../src/core/pool.ts';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import type { Digest } from '../../src/core/digest.ts';
import { collect } from '../../src/core/streams.ts';
import { contentOf } from '../../src/oci/content.ts';
import { copyGraph, walkGraph } from '../../src/oci/copy.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import { isNode, parseManifest, successors } from '../../src/oci/manifest.ts';
import { OCI_INDEX } from '../../src/oci/media-types.ts';
import { memoryTarget, type MemoryTarget } from '../../src/oci/memory.ts';
import type { Store } from '../../src/oci/target.ts';
import { counting } from '../support/counting.ts';
import {
  cosignSignature,
  randomArtifact,
  randomImage,
  randomIndex,
  storeGraph,
  type Graph,
} from '../support/random-image.ts';
import { validateGraph } from '../support/validate-graph.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function sourceOf(...graphs: readonly Graph[]): Promise<MemoryTarget> {
  const source = memoryTarget();
  for (const graph of graphs) await storeGraph(source, graph);
  return source;
}

/** A target that takes a manifest only when all that it names is there, as strict registries do. Each push takes some turns. */
function strictTarget(): MemoryTarget {
  const target = memoryTarget();
  return {
    ...target,
    async push(descriptor, content, options) {
      const bytes = await collect(content.open(0), 1e9);
      await turn();
      if (isNode(descriptor))
        for (const { digest } of successors(parseManifest(bytes, descriptor.mediaType)))
          if (!target.blobs.has(digest)) throw new Error(`${descriptor.digest} came before ${digest}`);
      await turn();
      await target.push(descriptor, contentOf(bytes), options);
    },
  };
}

const digests = (...graphs: readonly Graph[]): Set<Digest> =>
  new Set(graphs.flatMap(({ blobs }) => blobs.map(({ descriptor }) => descriptor.digest)));

const GRAPHS: readonly [string, Graph][] = [
  ['an image', randomImage('image')],
  ['layers of every kind', randomImage('kinds', { layers: ['tar', 'gzip', 'zstd', 'foreign'] })],
  ['an image without layers', randomImage('scratch', { layers: [] })],
  ['a layer twice', twice(randomImage('twice', { layers: ['gzip'] }))],
  ["Docker's types", randomIndex('docker', { docker: true, layers: ['gzip', 'foreign'] })],
  ['attestations', randomIndex('attested', { attestations: true })],
  ['an artifact', randomArtifact('artifact', { subject: randomImage('elsewhere').root })],
  ['a signature of cosign', cosignSignature(randomImage('signed').root)],
  ['an index of indexes', nested(randomIndex('inner'), randomImage('beside'))],
];

describe('copyGraph', () => {
  test.each(GRAPHS)('copies %s whole, children before parents, each digest once', async (_case, graph) => {
    const target = strictTarget();
    const store = counting(target);
    let progress = 0;
    const result = await copyGraph(await sourceOf(graph), store, [graph.root], {
      transfers: new Semaphore(8),
      progress: (bytes) => (progress += bytes),
    });
    expect(await validateGraph(target, graph.root)).toEqual([]);
    expect(new Set(store.pushes.digests())).toEqual(digests(graph));
    expect(store.pushes.total()).toBe(digests(graph).size);
    const sizes = [...target.blobs.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);
    expect([progress, result]).toEqual([sizes, { copied: digests(graph).size, skipped: 0, bytes: sizes }]);
  });

  test('what several roots share is asked for and pushed once', async () => {
    const graphs = [randomIndex('shared'), randomImage('shared/linux/amd64'), randomArtifact('a'), randomArtifact('b')];
    const target = strictTarget();
    const store = counting(target);
    await copyGraph(
      await sourceOf(...graphs),
      store,
      [...graphs, ...graphs].map(({ root }) => root),
    );
    expect(store.pushes.total()).toBe(digests(...graphs).size);
    expect(store.asked.total()).toBe(digests(...graphs).size);
    for (const { root } of graphs) expect(await validateGraph(target, root)).toEqual([]);
  });

  test('a subject is not followed: it is another image', async () => {
    const subject = randomImage('subject');
    const artifact = randomArtifact('of', { subject: subject.root });
    const target = memoryTarget();
    await copyGraph(await sourceOf(subject, artifact), target, [artifact.root]);
    expect(target.blobs.has(subject.root.digest)).toBe(false);
  });

  test('a second run asks for everything, pushes nothing, and fetches no blob', async () => {
    const graph = randomIndex('again', { attestations: true });
    const source = counting(await sourceOf(graph));
    const target = memoryTarget();
    const first = await copyGraph(source, target, [graph.root]);
    const [store, again] = [counting(target), counting(source)];
    const second = await copyGraph(again, store, [graph.root]);
    expect(second).toEqual({ copied: 0, skipped: first.copied, bytes: 0 });
    expect(new Set(store.asked.digests())).toEqual(digests(graph));
    expect(store.pushes.total()).toBe(0);
    const nodes = graph.blobs.filter(({ descriptor }) => isNode(descriptor)).map(({ descriptor }) => descriptor.digest);
    expect(new Set(again.fetches.digests())).toEqual(new Set(nodes)); // read for their successors
  });

  test.each([
    ['a layer', 0],
    ['a config', 2],
    ['a child manifest', 3],
  ] as const)('%s that the target lost is mended, and nothing else is fetched or pushed', async (_case, lost) => {
    const graph = randomIndex('lost');
    const target = memoryTarget();
    await storeGraph(target, graph);
    const { descriptor } = graph.blobs[lost]!;
    (target.blobs as Map<Digest, Uint8Array>).delete(descriptor.digest);
    const store = counting(target);
    const result = await copyGraph(await sourceOf(graph), store, [graph.root]);
    expect(store.pushes.digests()).toEqual([descriptor.digest]);
    expect(result).toMatchObject({ copied: 1, bytes: descriptor.size });
    expect(await validateGraph(target, graph.root)).toEqual([]);
  });

  test.each([1, 2, 5])('with %d transfers at a time has no more, and ends however deep the graph is', async (most) => {
    const graph = nested(nested(randomIndex('bound', { attestations: true })), randomImage('bound too'));
    const store = counting(strictTarget());
    await copyGraph(await sourceOf(graph), store, [graph.root], { transfers: new Semaphore(most) });
    expect(store.most()).toBe(most);
  });

  test('has no more than four at a time by itself', async () => {
    const graph = nested(nested(randomIndex('bound', { attestations: true })), randomImage('bound too'));
    const store = counting(strictTarget());
    await copyGraph(await sourceOf(graph), store, [graph.root]);
    expect(store.most()).toBe(4);
  });

  test('copies that go on at the same time share their turns', async () => {
    const graphs = [randomIndex('one'), randomIndex('other'), randomImage('third')];
    const store = counting(strictTarget());
    const transfers = new Semaphore(2);
    const source = await sourceOf(...graphs);
    await Promise.all(graphs.map(({ root }) => copyGraph(source, store, [root], { transfers })));
    expect(store.most()).toBe(2);
    for (const graph of graphs) for (const digest of digests(graph)) expect(store.pushes.of(digest)).toBe(1);
  });

  test('nothing is copied of no roots', async () => {
    const store: Store = counting(memoryTarget());
    expect(await copyGraph(memoryTarget(), store, [])).toEqual({ copied: 0, skipped: 0, bytes: 0 });
  });
});

describe('walkGraph', () => {
  test.each(GRAPHS)('of %s names each digest once, children before parents', async (_case, graph) => {
    const source = counting(await sourceOf(graph));
    const walked = (await walkGraph(source, [graph.root, graph.root])).map(({ digest }) => digest);
    expect(new Set(walked)).toEqual(digests(graph));
    expect(walked).toHaveLength(digests(graph).size);
    for (const { descriptor, bytes } of graph.blobs.filter((blob) => isNode(blob.descriptor)))
      for (const { digest } of successors(parseManifest(bytes, descriptor.mediaType)))
        expect(walked.indexOf(digest)).toBeLessThan(walked.indexOf(descriptor.digest));
    // a manifest is read once, a blob not at all
    expect(source.fetches.total()).toBe(graph.blobs.filter(({ descriptor }) => isNode(descriptor)).length);
  });

  test('has the order of the documents, the same every time', async () => {
    const graph = randomImage('order', { layers: ['tar', 'gzip', 'zstd'] });
    const [one, two, three, config, root] = graph.blobs.map(({ descriptor }) => descriptor);
    expect(await walkGraph(await sourceOf(graph), [graph.root])).toEqual([config, one, two, three, root]);
  });
});

/** An index of graphs. */
function nested(...graphs: readonly Graph[]): Graph {
  const root = encoded(
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: graphs.map(({ root: child }) => child) },
    OCI_INDEX,
  );
  return { root: root.descriptor, blobs: [...graphs.flatMap(({ blobs }) => blobs), root] };
}

/** The image with its layers listed once more. */
function twice(image: Graph): Graph {
  const manifest = JSON.parse(image.blobs.at(-1)!.bytes.toString()) as { config: never; layers: never[] };
  const config = JSON.parse(image.blobs.at(-2)!.bytes.toString()) as { rootfs: { diff_ids: string[] } };
  config.rootfs.diff_ids.push(...config.rootfs.diff_ids);
  const configBlob = encoded(config, image.blobs.at(-2)!.descriptor.mediaType);
  const changed = { ...manifest, config: configBlob.descriptor, layers: [...manifest.layers, ...manifest.layers] };
  const root = encoded(changed, image.root.mediaType);
  return { root: root.descriptor, blobs: [...image.blobs.slice(0, -2), configBlob, root] };
}

function encoded(document: unknown, mediaType: string): Graph['blobs'][number] {
  const bytes = canonicalJson(document);
  return { descriptor: descriptorOf(bytes, mediaType), bytes };
}
