import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBundle, type Bundle } from '../../src/bundle/reader.ts';
import { bundleStore } from '../../src/install/bundle-store.ts';
import { readBlob } from '../../src/oci/content.ts';
import { copyGraph } from '../../src/oci/copy.ts';
import { memoryTarget } from '../../src/oci/memory.ts';
import { cosignTags } from '../../src/oci/referrer-tags.ts';
import { Registry } from '../../src/registry/registry.ts';
import { serveRegistry, type RunningRegistry } from '../../src/registry/server/server.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import { api } from '../support/api.ts';
import { journey, type Journey } from '../support/journey.ts';
import { cosignSignature, randomArtifact, randomImage, randomIndex } from '../support/random-image.ts';

const NAME = 'docker.elastic.co/kibana/kibana:9.5.2';
// more than one chunk of 4 MiB in a layer
const INDEX = randomIndex('big', { layers: ['gzip'], layerSize: 5_000_000 });
const IMAGE = randomImage('big/linux/amd64', { layers: ['gzip'], layerSize: 5_000_000 });
const SBOM = randomArtifact('sbom', { subject: IMAGE.root, artifactType: 'application/spdx+json' });

let site: Journey;
let bundle: Bundle;
let server: RunningRegistry;

beforeEach(async () => {
  site = await journey({ images: { [NAME]: INDEX } });
  await site.publish(NAME.replace('9.5.2', 'sbom'), SBOM);
  await site.publish(NAME.replace('9.5.2', cosignTags(INDEX.root.digest)[0] ?? ''), cosignSignature(INDEX.root));
  expect((await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media')).status).toBe(0);
  const key = parsePublicKey((await site.read('airgap.pub')).toString(), 'airgap.pub');
  bundle = await openBundle(site.path('media'), { keys: [key] });
  server = await serveRegistry(await bundleStore(bundle), { host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  await server.close();
  await bundle.close();
  await site.end();
});

test('an image is pulled whole, by its path and tag', async () => {
  const registry = new Registry(`127.0.0.1:${server.port}`);
  const repository = registry.repository('kibana/kibana');
  const root = await repository.resolve('9.5.2');
  expect(root.digest).toBe(IMAGE.root.digest);
  const pulled = memoryTarget();
  await copyGraph(repository, pulled, [root]);
  for (const { descriptor, bytes } of IMAGE.blobs)
    expect(await readBlob(pulled, descriptor, { limit: 1e8 })).toEqual(bytes);
  await registry.close();
});

test('a range across chunks has just the bytes asked for', async () => {
  const [layer] = IMAGE.blobs;
  const path = `/v2/kibana/kibana/blobs/${layer?.descriptor.digest ?? ''}`;
  const from = 4 * 1024 * 1024 - 10;
  const answer = await api(server.url)('GET', path, { headers: { range: `bytes=${from}-${from + 19}` } });
  expect([answer.status, answer.body]).toEqual([206, layer?.bytes.subarray(from, from + 20)]);
});

test('signatures are there under their tags, referrers by the API, and nothing can be pushed', async () => {
  const ask = api(server.url);
  const { tags } = JSON.parse((await ask('GET', '/v2/kibana/kibana/tags/list')).body.toString()) as { tags: string[] };
  expect(tags).toEqual(['9.5.2', cosignTags(INDEX.root.digest)[0]]);
  const referrers = JSON.parse(
    (await ask('GET', `/v2/kibana/kibana/referrers/${IMAGE.root.digest}`)).body.toString(),
  ) as { manifests: { digest: string; artifactType: string }[] };
  expect(referrers.manifests).toMatchObject([{ digest: SBOM.root.digest, artifactType: 'application/spdx+json' }]);
  expect((await ask('POST', '/v2/kibana/kibana/blobs/uploads/')).status).toBe(405);
  expect(JSON.parse((await ask('GET', '/v2/_catalog')).body.toString())).toEqual({ repositories: ['kibana/kibana'] });
});

test('a blob of the bundle that is not of the repository is not given out', async () => {
  const lock = bundle.manifest.lock;
  expect((await api(server.url)('GET', `/v2/kibana/kibana/blobs/${lock}`)).status).toBe(404);
});
