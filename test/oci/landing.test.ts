// Memory did not stay flat: each blob that came in took batches of its own, which the collector does not see.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { READ_SIZE, type Borrowed } from '../../src/core/streams.ts';
import { openCache, type Cache } from '../../src/oci/cache.ts';
import { readBlob } from '../../src/oci/content.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import { landingBuffers } from '../../src/oci/landing.ts';
import { randomBytes } from '../support/random-image.ts';

let folder: string;
let cache: Cache;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-landing-'));
  cache = await openCache(folder, { self: { pid: process.pid, isAlive: () => false } });
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
  expect(landingBuffers.lent).toBe(0);
});

/** Lends the same memory again and again. */
async function* lending(bytes: Buffer, size: number): AsyncGenerator<Borrowed> {
  const memory = Buffer.alloc(size);
  for (let at = 0; at < bytes.byteLength; at += size) {
    const length = bytes.copy(memory, 0, at, at + size);
    yield { bytes: memory.subarray(0, length) };
  }
  memory.fill(0);
}

test('however many blobs come in at once, they take eight pairs of batches', async () => {
  const blobs = Array.from({ length: 20 }, (_, i) => randomBytes(`landing ${i}`, 200_000 + i));
  await Promise.all(blobs.map((bytes) => cache.add(lending(bytes, 70_000))));
  for (const bytes of blobs) {
    const blob = descriptorOf(bytes, '');
    expect((await readBlob(cache, blob, { limit: Infinity })).equals(bytes)).toBe(true);
  }
  expect(landingBuffers.allocated).toBe(8);
});

test('a source that breaks, and one that is waited for in vain, leave no batch behind', async () => {
  const bytes = randomBytes('breaking', READ_SIZE + 5);
  const breaking = async function* (): AsyncGenerator<Borrowed> {
    yield { bytes };
    throw new Error('the connection broke');
  };
  await expect(cache.add(breaking())).rejects.toThrow('the connection broke');
  const stop = new AbortController();
  const held = await Promise.all(Array.from({ length: 8 }, () => landingBuffers.lend(2 * READ_SIZE)));
  const waiting = cache.add(lending(bytes, 1000), { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  for (const loan of held) loan.giveBack();
});
