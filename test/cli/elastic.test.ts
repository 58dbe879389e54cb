// airgap.yaml by versions, end to end: what comes along without being named (files, charts, and the images that these
// name), from the lock to the registry inside.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { HELM_CHART } from '../../src/oci/media-types.ts';
import { openBundle } from '../../src/bundle/reader.ts';
import { LOCK_FILE, PROVENANCE_FILE, SBOM_FILE, type Lock } from '../../src/bundle/lock.ts';
import { charts, eckDiagnosticsArchives, operatorManifests } from '../../src/catalog/files.ts';
import { bundleStore } from '../../src/install/bundle-store.ts';
import { digestOf } from '../../src/core/digest.ts';
import { collect } from '../../src/core/streams.ts';
import { readManifest } from '../../src/oci/manifest.ts';
import { Registry } from '../../src/registry/registry.ts';
import { serveRegistry } from '../../src/registry/server/server.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import type { ElasticDownloads } from '../support/elastic-downloads.ts';
import { elasticChartNames, elasticImages } from '../support/elastic-upstream.ts';
import { journey, type Journey } from '../support/journey.ts';

const ELASTIC = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana'], flavour: 'ubi', diagnostics: true };
const PLATFORMS = ['linux/amd64', 'linux/arm64'];
/** That of the default build, which the manifest and the chart name whatever the flavour. */
const OPERATOR = 'docker.elastic.co/eck/eck-operator:3.5.0';
const CHARTS = elasticChartNames(ELASTIC.eck);
const MANIFESTS = operatorManifests(ELASTIC.eck).map(({ name, url }) => ({ name: `eck-3.5.0-${name}`, url }));
const ARCHIVES = eckDiagnosticsArchives('1.11.0', PLATFORMS);
const SUMS = { name: 'eck-diagnostics_1.11.0_checksums.txt', url: ARCHIVES[0]?.checksums ?? '' };
const KEY = { name: 'GPG-KEY-elasticsearch', url: 'https://artifacts.elastic.co/GPG-KEY-elasticsearch' };
const FILES = [...MANIFESTS, ...ARCHIVES, SUMS, KEY];

let site: Journey;
let upstream: ElasticDownloads;
let lock: Lock;
beforeAll(async () => {
  site = await journey({ images: elasticImages(ELASTIC) });
  upstream = await site.downloads();
  await site.writeSpec({ elastic: ELASTIC, images: [], platforms: PLATFORMS });
  await done('lock', 'airgap.yaml');
  lock = await site.readLock();
  await done('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media');
});
afterAll(() => site.end());

async function done(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await site.run(...argv);
  expect(stderr).not.toContain('Error');
  expect(status).toBe(0);
  return stdout;
}

const byName = (name: string) => [...lock.images, ...lock.files].find((one) => one.name === name);
const published = (url: string) => upstream.bytes(url) ?? Buffer.alloc(0);
const archiveUrl = (name: string, version: string) => `https://helm.elastic.co/helm/${name}/${name}-${version}.tgz`;
const bundleDigest = async (media: string) =>
  (JSON.parse(await done('inspect', media, '--key', 'airgap.pub', '--json')) as { digest: string }).digest;

describe('the lock', () => {
  test('has each file with its address, digest and size, and what it is for', () => {
    expect(lock.files.map(({ name }) => name)).toEqual(FILES.map(({ name }) => name).sort());
    for (const { name, url } of FILES) {
      const bytes = published(url);
      expect(byName(name)).toMatchObject({ url, digest: digestOf(bytes), size: bytes.byteLength });
      expect(byName(name)?.uses).toHaveLength(1);
    }
    const [crds, operator] = MANIFESTS.map(({ name }) => byName(name));
    expect(crds?.uses).toMatchObject([{ component: 'eck-operator', version: '3.5.0' }]);
    expect(crds).not.toHaveProperty('images');
    expect(operator).toMatchObject({ images: [OPERATOR] });
    expect(byName(SUMS.name)?.uses).toMatchObject([{ component: 'eck-diagnostics', version: '1.11.0' }]);
  });

  test('says what vouched for each: a checksum, the fingerprint of a key, or nothing', () => {
    const vouched = Object.fromEntries([...lock.images, ...lock.files].map(({ name, verified }) => [name, verified]));
    const { fingerprint } = upstream.signingKey;
    const index = { by: 'checksum', from: 'https://helm.elastic.co/index.yaml' };
    expect(vouched).toEqual({
      ...Object.fromEntries([...site.images, ...MANIFESTS.map(({ name }) => name)].map((name) => [name, 'none'])),
      ...Object.fromEntries(CHARTS.map((name) => [name, index])),
      ...Object.fromEntries(ARCHIVES.map(({ name, checksums }) => [name, { by: 'checksum', from: checksums }])),
      [SUMS.name]: 'none',
      [KEY.name]: { by: 'fingerprint', key: fingerprint },
    });
  });

  test('has each chart with its archive, and what it is for', () => {
    expect(lock.images.filter(({ chart }) => chart).map(({ name }) => name)).toEqual(CHARTS);
    for (const { name, version } of charts(ELASTIC.eck)) {
      const url = archiveUrl(name, version);
      const chart = byName(`helm.elastic.co/charts/${name}:${version}`);
      const size = published(url).byteLength;
      expect(chart).toMatchObject({
        artifact: true,
        chart: { name, version, url, digest: digestOf(published(url)), size },
        uses: [{ component: 'eck-operator', version: ELASTIC.eck }],
      });
    }
    expect(byName(CHARTS.find((name) => name.includes('/eck-operator:')) ?? '')).toMatchObject({ images: [OPERATOR] });
  });

  test('has the image that manifest and chart name beside the chosen one, and says who names it', () => {
    const why = 'it names this image';
    expect(byName(OPERATOR)).toMatchObject({
      platforms: PLATFORMS,
      uses: [
        { component: 'eck-operator', version: '3.5.0', why },
        { component: 'eck-3.5.0-operator.yaml', version: '3.5.0', why },
      ],
    });
    expect(byName('docker.elastic.co/eck/eck-operator-ubi:3.5.0')?.uses).toMatchObject([
      { why: 'the operator itself' },
    ]);
    expect(lock.images.map(({ name }) => name)).toEqual([...site.images, ...CHARTS].sort());
  });

  test('is the same bytes a second time, and from an empty cache', async () => {
    const first = await site.read(LOCK_FILE);
    expect(first.toString()).not.toContain('127.0.0.1');
    await done('lock', 'airgap.yaml');
    expect(await site.read(LOCK_FILE)).toEqual(first);
    await done('lock', 'airgap.yaml', '--cache', 'empty');
    expect(await site.read(LOCK_FILE)).toEqual(first);
  });
});

describe('build', () => {
  test('carries all of it: inspect lists images, charts and files', async () => {
    const shown = await done('inspect', 'media', '--key', 'airgap.pub');
    for (const { name, digest } of [...lock.images, ...lock.files])
      expect(shown).toMatch(new RegExp(`^${name.replaceAll('.', '\\.')} .*${digest}`, 'm'));
    const { manifest } = JSON.parse(await done('inspect', 'media', '--key', 'airgap.pub', '--json')) as {
      manifest: { files: { name: string }[] };
    };
    const own = [LOCK_FILE, SBOM_FILE, PROVENANCE_FILE];
    expect(manifest.files.map(({ name }) => name)).toEqual([...own, ...lock.files.map(({ name }) => name)]);
  });

  test('from a warm cache asks nobody for anything', async () => {
    site.upstream.forget();
    upstream.forget();
    await done('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'again');
    expect([...site.upstream.requests, ...upstream.requests]).toEqual([]);
    expect(await bundleDigest('again')).toBe(await bundleDigest('media'));
  });

  test('on another machine makes the same bundle of the same lock', async () => {
    upstream.forget();
    await done('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'elsewhere', '--cache', 'other-machine');
    expect(await bundleDigest('elsewhere')).toBe(await bundleDigest('media'));
    const asked = new Set(upstream.requests.map(({ url }) => url));
    const archives = charts(ELASTIC.eck).map(({ name, version }) => archiveUrl(name, version));
    expect(asked).toEqual(new Set([...FILES.map(({ url }) => url), ...archives]));
  });
});

describe('inside', () => {
  test('export gives out every file as it is upstream', async () => {
    for (const { name, url } of FILES) {
      await done('export', 'media', name, '--key', 'airgap.pub', '--out', 'out');
      expect(await site.read('out')).toEqual(published(url));
      await rm(site.path('out'));
    }
  });

  /** The layer of each chart at a registry is the archive that was downloaded. */
  async function expectCharts(host: string, prefix: string): Promise<void> {
    const registry = new Registry(host);
    for (const { name, version } of charts(ELASTIC.eck)) {
      const repository = registry.repository(`${prefix}charts/${name}`);
      const root = await repository.resolve(version);
      expect(root.digest).toBe(byName(`helm.elastic.co/charts/${name}:${version}`)?.digest);
      const manifest = await readManifest(repository, root);
      const layers = manifest.kind === 'manifest' ? manifest.layers : [];
      expect(layers.map(({ mediaType }) => mediaType)).toEqual([HELM_CHART]);
      for (const layer of layers)
        expect(await collect(repository.fetch(layer), 1e6)).toEqual(published(archiveUrl(name, version)));
    }
    await registry.close();
  }

  const tagsOf = async (repository: string) => (await site.enclave.store.repository(repository))?.tags();

  test('load pushes the charts where helm pull looks for them', async () => {
    const { host } = site.enclave;
    await done('load', 'media', '--key', 'airgap.pub', '--registry', `${host}/kept`);
    await expectCharts(host, 'kept/');
    expect(await tagsOf('kept/eck/eck-operator')).toEqual(['3.5.0']);
  });

  test('load --flatten leaves charts their path: the operator and its chart do not collide', async () => {
    const { host } = site.enclave;
    await done('load', 'media', '--key', 'airgap.pub', '--registry', `${host}/flat`, '--flatten', 'stack');
    await expectCharts(host, 'flat/');
    expect(await tagsOf('flat/stack/eck-operator')).toEqual(['3.5.0']);
    const one = await site.enclave.store.repository('flat/stack/eck-operator');
    expect((await one?.manifest('3.5.0'))?.digest).toBe(byName(OPERATOR)?.digest);
  });

  test('serve answers for the charts', async () => {
    const key = parsePublicKey((await site.read('airgap.pub')).toString(), 'airgap.pub');
    const bundle = await openBundle(site.path('media'), { keys: [key] });
    onTestFinished(() => bundle.close());
    const server = await serveRegistry(await bundleStore(bundle), { host: '127.0.0.1', port: 0 });
    onTestFinished(() => server.close());
    await expectCharts(`127.0.0.1:${server.port}`, '');
  });

  test('the closure is complete, with what manifest and chart name', async () => {
    site.upstream.forget();
    upstream.forget();
    const shown = await done('inspect', 'media', '--key', 'airgap.pub', '--closure');
    const carriers = MANIFESTS[1]?.name ?? '';
    expect(shown).toMatch(
      new RegExp(
        `^yes, named +eck/eck-operator:3\\.5\\.0 +${PLATFORMS.join(',')} +${carriers}, helm\\S+/eck-operator:3\\.5\\.0$`,
        'm',
      ),
    );
    expect(shown.trimEnd().split('\n').at(-1)).toMatch(/^complete: every image that ECK 3\.5\.0 derives/);
    expect([...site.upstream.requests, ...upstream.requests]).toEqual([]);
  });
});
