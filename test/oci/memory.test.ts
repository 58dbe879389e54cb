import { describe, expect, test } from 'vitest';
import { collect } from '../../src/core/streams.ts';
import { contentOf } from '../../src/oci/content.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import { memoryTarget } from '../../src/oci/memory.ts';
import { randomIndex, pushGraph } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';
import { validateGraph } from '../support/validate-graph.ts';

const BYTES = Buffer.from('the content');
const BLOB = descriptorOf(BYTES, 'text/plain');

describe('memory', () => {
  test('holds what is pushed, from any byte, under its digest and its tags', async () => {
    const target = memoryTarget();
    expect(await target.exists(BLOB)).toBe(false);
    let stored = 0;
    await target.push(BLOB, contentOf(BYTES), { progress: (bytes) => (stored += bytes) });
    await target.tag(BLOB, 'v1');
    expect([await target.exists(BLOB), stored]).toEqual([true, BLOB.size]);
    expect((await collect(target.fetch(BLOB, { start: 4 }), 100)).toString()).toBe('content');
    expect([await target.resolve('v1'), await target.resolve(BLOB.digest)]).toEqual([BLOB, BLOB]);
  });

  test('takes what is there already for success, without reading it', async () => {
    const target = memoryTarget();
    await target.push(BLOB, contentOf(BYTES));
    await target.push(BLOB, {
      open: () => {
        throw new Error('not to be opened');
      },
    });
  });

  test.each(['THE CONTENT', 'the', 'the content!'])('never commits %j under another digest', async (text) => {
    const target = memoryTarget();
    expect((await rejected(target.push(BLOB, contentOf(Buffer.from(text))))).code).toBe('DIGEST_MISMATCH');
    expect(await target.exists(BLOB)).toBe(false);
  });

  test('says CONTENT_MISSING of what it does not have', async () => {
    const target = memoryTarget();
    for (const action of [collect(target.fetch(BLOB), 1), target.resolve('v1'), target.tag(BLOB, 'v1')])
      expect((await rejected(action)).code).toBe('CONTENT_MISSING');
  });

  test('a generated index is whole; a byte changed in a layer is found by digest and diff_id', async () => {
    const target = memoryTarget();
    const graph = randomIndex('memory', { attestations: true, layers: ['tar', 'gzip', 'zstd'] });
    await pushGraph(target, graph);
    expect(await validateGraph(target, graph.root)).toEqual([]);
    const [layer] = graph.blobs;
    target.blobs.get(layer!.descriptor.digest)![600]! ^= 1;
    expect(await validateGraph(target, graph.root)).toHaveLength(2);
  });
});
