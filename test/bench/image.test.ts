import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blobFile, equalLayers, makeLayout, MIB } from '../../scripts/bench/image.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-bench-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('layers are gzipped tar archives that do not compress, under their digests', async () => {
  const { layers, bytes } = await makeLayout(folder, equalLayers(2, MIB + 100, 'seed'));
  const blobs = await readdir(join(folder, 'blobs', 'sha256'));
  for (const name of blobs) expect(sha256(await readFile(join(folder, 'blobs', 'sha256', name)))).toBe(name);
  for (const layer of layers) {
    const packed = await readFile(blobFile(folder, layer));
    expect(packed.byteLength).toBe(layer.size);
    expect(packed.byteLength).toBeGreaterThan(MIB);
    const tar = gunzipSync(packed);
    expect(tar.byteLength % 512).toBe(0);
    expect(tar.subarray(0, 4).toString()).toBe('data');
    const [config] = (
      await Promise.all(blobs.map(async (name) => (await readFile(join(folder, 'blobs', 'sha256', name))).toString()))
    ).filter((text) => text.includes('diff_ids'));
    expect(config).toContain(`sha256:${sha256(tar)}`);
  }
  expect(bytes).toBeGreaterThan(layers.reduce((sum, { size }) => sum + size, 0));
});

test('the same seed makes the same layers, another others', async () => {
  const [one, same, other] = await Promise.all(
    ['a', 'a', 'b'].map((seed, i) => makeLayout(join(folder, `${i}`), equalLayers(1, 1000, seed))),
  );
  expect(same).toEqual(one);
  expect(other).not.toEqual(one);
});
