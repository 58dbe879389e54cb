// Memory did not stay flat: each blob that was read took buffers of its own, which the collector does not see.
import { createHash } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { openBundle, type Bundle } from '../../src/bundle/reader.ts';
import { verifyBundle } from '../../src/bundle/verify.ts';
import { chunkBuffers } from '../../src/core/buffers.ts';
import { CHUNK_SIZE } from '../../src/core/chunks.ts';
import { forEach } from '../../src/core/pool.ts';
import { copyGraph } from '../../src/oci/copy.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import { memoryTarget } from '../../src/oci/memory.ts';
import { keys, writtenTar } from '../support/bundle.ts';
import { randomBytes, randomImage } from '../support/random-image.ts';

const COUNT = 12;
const LARGE = randomBytes('large', 3 * CHUNK_SIZE + 17);
const large = descriptorOf(LARGE, '');

let bundle: Bundle;
beforeEach(async () => {
  const image = randomImage('many', { layers: Array.from({ length: 40 }, () => 'gzip'), layerSize: 80_000 });
  const { path } = await writtenTar({ images: { 'docker.elastic.co/many:1': image }, files: { large: LARGE } });
  bundle = await openBundle(path, { keys: [keys.publicKey] });
  return async () => {
    await bundle.close();
    expect(chunkBuffers.lent).toBe(0);
    expect(chunkBuffers.allocated).toBeLessThanOrEqual(COUNT);
  };
});

async function sumOf(start = 0): Promise<string> {
  const hash = createHash('sha256');
  for await (const { bytes } of bundle.borrow(large, { start })) {
    hash.update(bytes);
    expect(chunkBuffers.lent).toBeLessThanOrEqual(COUNT);
  }
  return hash.digest('hex');
}

test('a bundle of many blobs is copied and verified with the buffers of the pool', async () => {
  await copyGraph(bundle, memoryTarget(), bundle.manifest.images);
  await verifyBundle(bundle, { workers: 20 });
});

test('more readers than buffers wait for each other, and each gets its bytes', async () => {
  const starts = Array.from({ length: 3 * COUNT }, (_, i) => i * 100_000);
  const sums = await Promise.all(starts.map((start) => sumOf(start)));
  expect(sums).toEqual(starts.map((start) => createHash('sha256').update(LARGE.subarray(start)).digest('hex')));
  expect(chunkBuffers.allocated).toBe(COUNT);
});

test('a reader that is stopped while it waits for a buffer, or has one, leaves none behind', async () => {
  const held = await forEach(Array.from({ length: COUNT }), () => chunkBuffers.lend(CHUNK_SIZE));
  const stop = new AbortController();
  const waiting = bundle.borrow(large, { signal: stop.signal })[Symbol.asyncIterator]().next();
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  for (const loan of held) loan.giveBack();
  for await (const { bytes } of bundle.borrow(large)) {
    expect(bytes.byteLength).toBe(CHUNK_SIZE);
    break;
  }
});

test('what is fetched to be kept takes no buffer of the pool', async () => {
  const kept: Uint8Array[] = [];
  for await (const chunk of bundle.fetch(large)) {
    kept.push(chunk);
    expect(chunkBuffers.lent).toBe(0);
  }
  expect(Buffer.concat(kept).equals(LARGE)).toBe(true);
});
