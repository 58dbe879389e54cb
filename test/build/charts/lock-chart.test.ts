import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HELM_CHART } from '../../../src/oci/media-types.ts';
import { chartIndexes } from '../../../src/build/charts/chart-index.ts';
import { fullUrls } from '../../../src/build/full-urls.ts';
import { fetchChart } from '../../../src/build/charts/fetch-chart.ts';
import { lockChart } from '../../../src/build/charts/lock-chart.ts';
import { encodeLock, parseLock, type LockedImage } from '../../../src/bundle/lock.ts';
import { API_VERSION } from '../../../src/bundle/manifest.ts';
import type { ChartSource } from '../../../src/bundle/spec.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { AirgapError } from '../../../src/core/errors.ts';
import { collect } from '../../../src/core/streams.ts';
import { openCache, type Cache } from '../../../src/oci/cache.ts';
import { contentOf } from '../../../src/oci/content.ts';
import { descriptorOf } from '../../../src/oci/descriptor.ts';
import { readManifest } from '../../../src/oci/manifest.ts';
import { chartIndex, packChart, type ChartParts, type PublishedChart } from '../../support/chart.ts';
import { mapWebFiles, type MapWebFiles } from '../../support/map-web-files.ts';
import { rejected } from '../../support/thrown.ts';
import { validateGraph } from '../../support/validate-graph.ts';

const REPOSITORY = 'https://helm.example/stable';
const INDEX = `${REPOSITORY}/index.yaml`;
const URL = `${REPOSITORY}/app-1.0.0.tgz`;
const NAME = 'helm.example/charts/app:1.0.0';
const SOURCE: ChartSource = { repository: REPOSITORY, name: 'app', version: '1.0.0' };
const PARTS: ChartParts = {
  chart: { name: 'app', version: '1.0.0', appVersion: '2.0.0' },
  values: { image: { repository: 'x.io/app' }, sidecar: { image: 'x.io/side:1' } },
};

let folder: string;
let archive: Buffer;
let web: MapWebFiles;
let cache: Cache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-charts-'));
  archive = await packChart(PARTS);
  web = mapWebFiles();
  publish();
  cache = await newCache();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The chart, in a repository that may say otherwise of it than it is. */
function publish(more: Partial<PublishedChart> = {}): void {
  web.contents.set(INDEX, Buffer.from(chartIndex(REPOSITORY, [{ chart: PARTS.chart, archive, ...more }])));
  web.contents.set(URL, archive);
}

async function newCache(): Promise<Cache> {
  return openCache(await mkdtemp(join(folder, 'cache-')), { self: { pid: process.pid, isAlive: () => false } });
}

const lock = (source: ChartSource = SOURCE) => lockChart(source, { cache, web, folder, indexes: chartIndexes(web) });
const urlsOf = (...charts: ChartSource[]) => fullUrls({ files: [], charts }, { web });
const fetch = (image: LockedImage, source = SOURCE) => fetchChart(image, { cache, web, folder, urls: urlsOf(source) });
const writeChart = (bytes = archive) => writeFile(join(folder, 'app.tgz'), bytes);

/** Whether all of the chart is there, and its archive is what it was. */
async function expectWhole(image: LockedImage): Promise<void> {
  expect(await validateGraph(cache, image)).toEqual([]);
  const manifest = await readManifest(cache, image);
  const [layer] = manifest.kind === 'manifest' ? manifest.layers : [];
  expect(await collect(cache.fetch(layer!), 1e9)).toEqual(archive);
}

describe('locking a chart', () => {
  test('pins its archive, its artifact and its images, and puts them into the cache', async () => {
    const image = await lock();
    expect(image).toMatchObject({
      name: NAME,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      platforms: [],
      artifact: true,
      chart: { name: 'app', version: '1.0.0', url: URL, digest: digestOf(archive), size: archive.byteLength },
      images: ['x.io/app:2.0.0', 'x.io/side:1'],
      verified: { by: 'checksum', from: INDEX },
      accompanying: [],
    });
    const manifest = await readManifest(cache, image);
    const parts = manifest.kind === 'manifest' ? [image, manifest.config, ...manifest.layers] : [];
    expect(image.totalSize).toBe(parts.reduce((sum, { size }) => sum + size, 0));
    await expectWhole(image);
  });

  test('is the same every time, and can be written and read', async () => {
    const image = await lock();
    cache = await newCache();
    expect(await lock()).toEqual(image);
    const document = encodeLock({
      apiVersion: API_VERSION,
      kind: 'Lock',
      metadata: { name: 'site' },
      spec: digestOf(Buffer.from('')),
      platforms: 'all',
      images: [image],
      files: [],
    });
    expect(parseLock(document.toString(), 'lock').images).toEqual([image]);
  });

  test('takes a file of the user, named for no registry', async () => {
    await writeChart();
    const image = await lock({ path: 'app.tgz' });
    const chart = {
      name: 'app',
      version: '1.0.0',
      path: 'app.tgz',
      digest: digestOf(archive),
      size: archive.byteLength,
    };
    expect(image).toMatchObject({ name: 'localhost/charts/app:1.0.0', chart, verified: 'none' });
    expect(image.digest).toBe((await lock()).digest);
    expect(web.requests).toEqual([INDEX, URL]);
    await expectWhole(image);
  });

  test('leaves out the images that are not to be carried, however they are written', async () => {
    expect((await lock({ ...SOURCE, ignoreImages: ['x.io/side:1'] })).images).toEqual(['x.io/app:2.0.0']);
    const other = { chart: PARTS.chart, values: { image: 'nginx:1.30' } };
    await writeChart(await packChart(other));
    expect((await lock({ path: 'app.tgz' })).images).toEqual(['docker.io/library/nginx:1.30']);
    expect((await lock({ path: 'app.tgz', ignoreImages: ['nginx:1.30'] })).images).toEqual([]);
  });

  test('says that nothing vouched for it where the index has no digest', async () => {
    publish({ digest: null });
    expect((await lock()).verified).toBe('none');
  });

  test('reads the index of a repository once in a run', async () => {
    const other = { name: 'other', version: '1.0.0' };
    const otherArchive = await packChart({ chart: other });
    const charts = [
      { chart: PARTS.chart, archive },
      { chart: other, archive: otherArchive },
    ];
    web.contents.set(INDEX, Buffer.from(chartIndex(REPOSITORY, charts)));
    web.contents.set(`${REPOSITORY}/other-1.0.0.tgz`, otherArchive);
    const context = { cache, web, folder, indexes: chartIndexes(web) };
    await Promise.all([lockChart(SOURCE, context), lockChart({ ...SOURCE, name: 'other' }, context)]);
    expect(web.requests.filter((url) => url === INDEX)).toEqual([INDEX]);
  });

  test('writes the version as the chart does, and a + as Helm does', async () => {
    const chart = { name: 'app', version: 'v1.0.0+build.1' };
    archive = await packChart({ chart });
    publish({ chart, url: URL });
    expect(await lock()).toMatchObject({ name: 'helm.example/charts/app:v1.0.0_build.1', chart });
  });
});

describe('locking fails', () => {
  async function failure(source: ChartSource = SOURCE, begins = NAME): Promise<AirgapError> {
    const error = await rejected(lock(source));
    expect(error.message.startsWith(begins)).toBe(true);
    return error;
  }

  test('when a chart index lies about the digest', async () => {
    publish({ digest: 'a'.repeat(64) });
    const error = await failure();
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(error.message).toContain(
      `${INDEX} says that app 1.0.0 is sha256:${'a'.repeat(64)}, found ${digestOf(archive)}`,
    );
  });

  test.each([
    { name: 'other', version: '1.0.0' },
    { name: 'app', version: '1.0.1' },
    { name: 'app', version: 'v1.0.0' },
  ])('when a chart index lies about the chart: it is $name $version', async (chart) => {
    archive = await packChart({ chart });
    publish();
    const error = await failure();
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(error.message).toContain(`found ${chart.name} ${chart.version}`);
  });

  test('when there is no such version, chart, archive or repository', async () => {
    const other = (more: ChartSource) =>
      failure({ ...SOURCE, ...more }, NAME.replace('1.0.0', more.version ?? '1.0.0'));
    expect((await other({ version: '2.0.0' })).code).toBe('CONTENT_MISSING');
    expect((await failure({ ...SOURCE, name: 'no' }, 'helm.example/charts/no:1.0.0')).code).toBe('CONTENT_MISSING');
    web.contents.delete(URL);
    expect((await failure()).code).toBe('CONTENT_MISSING');
    web.contents.delete(INDEX);
    expect((await failure()).code).toBe('CONTENT_MISSING');
  });

  test('when what the repository serves is no chart, or no index', async () => {
    archive = Buffer.from('<html>sign in</html>');
    publish();
    expect((await failure()).code).toBe('MANIFEST_INVALID');
    web.contents.set(INDEX, archive);
    expect((await failure()).code).toBe('MANIFEST_INVALID');
  });

  test('when an archive is larger than any chart, before all of it is fetched', async () => {
    let sent = 0;
    const endless = async function* () {
      for (; sent < 1024; sent++) yield { bytes: Buffer.alloc(1024 * 1024) };
    };
    const context = { cache, web: { borrow: endless }, folder, indexes: chartIndexes(web) };
    const error = await rejected(lockChart(SOURCE, context));
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(sent).toBeLessThan(40);
  });

  test('when a file of the user is no chart, or not there', async () => {
    await writeChart(Buffer.from('no'));
    expect((await failure({ path: 'app.tgz' }, 'app.tgz')).code).toBe('CONFIG_INVALID');
    expect((await failure({ path: 'no.tgz' }, 'no.tgz')).code).toBe('FILE_NOT_FOUND');
  });

  test.each(['^1.0.0', '1.x', 'latest', '>=1'])('for a range, which cannot be pinned: %s', async (version) => {
    expect((await rejected(lock({ ...SOURCE, version }))).code).toBe('CONFIG_INVALID');
    expect(web.requests).toEqual([]);
  });

  test('for a name that no registry can have, and an ignored image that is none', async () => {
    expect((await rejected(lock({ ...SOURCE, name: 'App' }))).code).toBe('REFERENCE_INVALID');
    expect((await failure({ ...SOURCE, ignoreImages: ['No Image'] })).code).toBe('CONFIG_INVALID');
  });
});

describe('fetching a locked chart', () => {
  test('asks nothing of anyone when it is in the cache', async () => {
    const image = await lock();
    web.contents.clear();
    web.requests.length = 0;
    await fetch(image);
    expect(web.requests).toEqual([]);
    await expectWhole(image);
  });

  test('brings it into an empty cache, from its address alone', async () => {
    const image = await lock();
    cache = await newCache();
    web.contents.delete(INDEX);
    await fetch(image);
    await expectWhole(image);
  });

  test('makes config and manifest again where only the archive is there', async () => {
    const image = await lock();
    cache = await newCache();
    await cache.push(descriptorOf(archive, HELM_CHART), contentOf(archive));
    web.contents.clear();
    await fetch(image);
    await expectWhole(image);
  });

  test('reads a file of the user again, from where airgap.yaml lies', async () => {
    await writeChart();
    const image = await lock({ path: 'app.tgz' });
    cache = await newCache();
    await fetch(image);
    await expectWhole(image);
  });

  test('tells of all bytes that it stores', async () => {
    const image = await lock();
    cache = await newCache();
    let told = 0;
    const progress = (bytes: number): void => void (told += bytes);
    await fetchChart(image, { cache, web, folder, progress, urls: urlsOf() });
    await fetchChart(image, { cache, web, folder, progress, urls: urlsOf() });
    expect(told).toBe(image.totalSize);
  });

  const SIGNED: ChartSource = { ...SOURCE, repository: `${REPOSITORY}?token=secret` };
  const publishSigned = (url: string, at = url): void => {
    const entry = { chart: PARTS.chart, archive, url };
    web.contents.set(`${INDEX}?token=secret`, Buffer.from(chartIndex(REPOSITORY, [entry])));
    web.contents.set(at, archive);
  };

  test('the query of its repository is not in the lock, and is used again', async () => {
    publishSigned('app-1.0.0.tgz', `${URL}?token=secret`);
    web.contents.delete(URL);
    const image = await lock(SIGNED);
    expect(image.chart).toMatchObject({ url: URL, queryWithheld: true });
    expect(JSON.stringify(image)).not.toContain('secret');
    cache = await newCache();
    await fetch(image, SIGNED);
    await expectWhole(image);
  });

  test('the signature of its address is not in the lock, and a new one is taken from the index', async () => {
    publishSigned(`${URL}?sig=old`);
    const image = await lock(SIGNED);
    expect(JSON.stringify(image)).not.toContain('sig');
    web.contents.clear();
    publishSigned(`${URL}?sig=new`);
    cache = await newCache();
    await fetch(image, SIGNED);
    await expectWhole(image);
    cache = await newCache();
    publishSigned(`${REPOSITORY}/moved.tgz?sig=new`);
    expect((await rejected(fetch(image, SIGNED))).code).toBe('UPSTREAM_CHANGED');
  });

  test('in the cache needs no index, whatever is not in the lock', async () => {
    publishSigned(`${URL}?sig=old`);
    const image = await lock(SIGNED);
    web.contents.clear();
    await fetch(image, SIGNED);
    await expectWhole(image);
  });

  test('fails when the archive is no longer what was locked', async () => {
    await writeChart();
    const images = [await lock(), await lock({ path: 'app.tgz' })];
    const other = await packChart({ ...PARTS, values: {} });
    web.contents.set(URL, other);
    await writeChart(other);
    for (const image of images) {
      cache = await newCache();
      const error = await rejected(fetch(image));
      expect(error.code).toBe('DIGEST_MISMATCH');
      expect(error.message.startsWith(`${image.name}: `)).toBe(true);
      expect(error.hint).toContain('eck-airgap lock');
    }
  });

  test('fails when the lock was edited to another artifact', async () => {
    const image = await lock();
    const error = await rejected(fetch({ ...image, digest: digestOf(archive) }));
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(error.hint).toContain('eck-airgap lock');
  });

  test('fails when the archive is gone', async () => {
    const image = await lock();
    cache = await newCache();
    web.contents.clear();
    expect((await rejected(fetch(image))).code).toBe('CONTENT_MISSING');
  });
});
