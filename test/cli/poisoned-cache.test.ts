// A bundle never holds bytes that are not what the lock pins, whatever lies in the cache.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBundle } from '../../src/bundle/reader.ts';
import { CHUNK_SIZE, chunkHashes } from '../../src/core/chunks.ts';
import { digestOfStream, hexOf, type Digest } from '../../src/core/digest.ts';
import { lent } from '../../src/core/streams.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import { journey, type Journey } from '../support/journey.ts';
import { randomBytes, randomImage } from '../support/random-image.ts';

const IMAGE = randomImage('large', { layerSize: CHUNK_SIZE + 1000 });
const LAYER = IMAGE.blobs.reduce((largest, blob) =>
  blob.bytes.byteLength > largest.bytes.byteLength ? blob : largest,
);
let site: Journey;
beforeEach(async () => {
  site = await journey({ images: { 'docker.elastic.co/kibana/kibana:9.5.2': IMAGE } });
});
afterEach(() => site.end());

test.each([
  ['its chunk hashes lost, as after a power cut', false],
  ['chunk hashes of its own beside it, as in a poisoned shared cache', true],
])('a cached layer of other bytes, with %s, is fetched again', async (_case, forged) => {
  expect((await build('first')).status).toBe(0);
  const other = randomBytes('other', LAYER.bytes.byteLength);
  const cached = (kind: string): string => site.path('.cache', 'eck-airgap', kind, 'sha256');
  const { digest } = LAYER.descriptor;
  await writeFile(join(cached('blobs'), hexOf(digest)), other);
  if (forged) {
    await mkdir(cached('chunks'), { recursive: true });
    await writeFile(join(cached('chunks'), hexOf(digest)), chunkHashes(other));
  }
  const result = await build('second');
  expect(result.status).toBe(0);
  expect(result.stderr).toContain(`${digest} is damaged in the cache; it is fetched again`);
  expect(await wrongEntries('second')).toEqual([]);
});

const build = (out: string) => site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', out);

/** Paths of entries whose whole bytes do not have the digest that bundle.json gives them. */
async function wrongEntries(folder: string): Promise<string[]> {
  const key = parsePublicKey((await site.read('airgap.pub')).toString(), 'airgap.pub');
  const bundle = await openBundle(site.path(folder), { keys: [key] });
  try {
    const wrong: string[] = [];
    for (const entry of bundle.manifest.entries.slice(1)) {
      const found: { digest: Digest } = await digestOfStream(lent(bundle.readEntry(entry)));
      if (found.digest !== entry.digest) wrong.push(entry.path);
    }
    return wrong;
  } finally {
    await bundle.close();
  }
}
