// Charts, files and images of the user's own, end to end: what of them, and of what they name, is in the bundle.
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lock } from '../../src/bundle/lock.ts';
import { digestOf } from '../../src/core/digest.ts';
import { chartIndex, packChart } from '../support/chart.ts';
import type { ElasticDownloads } from '../support/elastic-downloads.ts';
import { elasticImages, smallImage } from '../support/elastic-upstream.ts';
import { journey, type Journey } from '../support/journey.ts';
import { randomImage } from '../support/random-image.ts';

const AMD64 = ['linux/amd64'];
const BOTH = ['linux/amd64', 'linux/arm64'];
const [AGENT, PROXY, TOOL] = ['agent:1.0', 'proxy:2.0', 'tool:3.0'].map((name) => `registry.example/tools/${name}`) as [
  string,
  string,
  string,
];
const REPOSITORY = 'https://charts.example/stable';

let site: Journey;
let web: ElasticDownloads;
beforeEach(async () => {
  const images = [AGENT, PROXY, TOOL].map((name) => [name, smallImage(name, AMD64)] as const);
  site = await journey({ images: Object.fromEntries(images) });
  web = await site.downloads();
});
afterEach(() => site.end());

/** A specification whose images and downloads are all there under other hosts. */
async function write(spec: Record<string, unknown>): Promise<void> {
  const upstream = `http://${site.upstream.host}`;
  const elsewhere = (web.mirrors['helm.elastic.co'] ?? '').replace('helm.elastic.co', 'charts.example');
  const mirrors = {
    ...web.mirrors,
    ...{ 'registry.example': upstream, 'docker.elastic.co': upstream, 'charts.example': elsewhere },
  };
  await site.writeSpec({ images: [], ...spec, mirrors });
}

async function done(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await site.run(...argv);
  expect(stderr).not.toContain('Error');
  expect(status).toBe(0);
  return stdout;
}

async function locked(spec: Record<string, unknown>): Promise<Lock> {
  await write(spec);
  await done('lock', 'airgap.yaml');
  return site.readLock();
}

const build = () => done('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media');
const closure = () => done('inspect', 'media', '--key', 'airgap.pub', '--closure');
const namesIn = ({ images }: Lock) => images.map(({ name }) => name);

/** What `export` gives out. */
async function exported(name: string): Promise<Buffer> {
  await done('export', 'media', name, '--key', 'airgap.pub', '--out', `exported-${name}`);
  return site.read(`exported-${name}`);
}

const valuesFor = (image: string) => {
  const [repository, tag] = image.split(/:(?=[^/]*$)/);
  return { image: { repository, tag } };
};

async function publishChart(name: string, values: Record<string, unknown>): Promise<void> {
  const chart = { name, version: '1.2.3' };
  const archive = await packChart({ chart, values });
  web.put(`${REPOSITORY}/index.yaml`, chartIndex(REPOSITORY, [{ chart, archive }]));
  web.put(`${REPOSITORY}/${name}-1.2.3.tgz`, archive);
}

describe('charts', () => {
  const fromRepository = { repository: REPOSITORY, name: 'agents', version: '1.2.3' };

  test('from a repository and from a file: the images of their values come along', async () => {
    await publishChart('agents', valuesFor(AGENT));
    const own = await packChart({ chart: { name: 'own', version: '0.1.0' }, values: { sidecar: valuesFor(PROXY) } });
    await writeFile(site.path('own.tgz'), own);
    const lock = await locked({ charts: [fromRepository, { path: './own.tgz' }] });
    expect(namesIn(lock)).toEqual(['charts.example/charts/agents:1.2.3', 'localhost/charts/own:0.1.0', AGENT, PROXY]);
    expect(lock.images[1]).toMatchObject({ chart: { path: './own.tgz', digest: digestOf(own) }, verified: 'none' });
    await build();
    const proof = await closure();
    expect(proof).toMatch(/^yes, named +tools\/agent:1\.0 +linux\/amd64 +charts\.example\/charts\/agents:1\.2\.3/m);
    expect(proof).toMatch(/^yes, named +tools\/proxy:2\.0 +linux\/amd64 +localhost\/charts\/own:0\.1\.0/m);
    await done('load', 'media', '--key', 'airgap.pub', '--registry', site.enclave.host);
    const chart = await site.enclave.store.repository('charts/own');
    expect(await chart?.blobSize(digestOf(own))).toBe(own.byteLength);
  });

  test('ignoreImages leaves out what a chart names', async () => {
    await publishChart('agents', { one: valuesFor(AGENT), other: valuesFor(PROXY) });
    const lock = await locked({ charts: [{ ...fromRepository, ignoreImages: [PROXY] }] });
    expect(namesIn(lock)).toEqual(['charts.example/charts/agents:1.2.3', AGENT]);
    await build();
    expect(await closure()).not.toContain('proxy');
  });

  test('one of ECK that is named as well is as it is named: its images may be ignored', async () => {
    const elastic = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana'], monitoring: false };
    for (const [name, graph] of Object.entries(elasticImages(elastic, AMD64))) await site.publish(name, graph);
    const chart = { repository: 'https://helm.elastic.co', name: 'eck-operator', version: '3.5.0' };
    const operator = 'docker.elastic.co/eck/eck-operator:3.5.0';
    const lock = await locked({ elastic, charts: [{ ...chart, ignoreImages: [operator] }] });
    const charts = lock.images.filter(({ name }) => name.endsWith('/charts/eck-operator:3.5.0'));
    expect(charts).toMatchObject([{ images: [] }]);
  });

  test('that changed after the lock are not built', async () => {
    await writeFile(site.path('own.tgz'), await packChart({ chart: { name: 'own', version: '0.1.0' } }));
    await locked({ charts: [{ path: './own.tgz' }] });
    await writeFile(site.path('own.tgz'), await packChart({ chart: { name: 'own', version: '0.1.0', home: 'x' } }));
    const build = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--cache', 'empty'];
    const { status, stderr } = await site.run(...build);
    expect(status).toBe(3);
    expect(stderr).toContain('./own.tgz is not the chart that was locked');
  });
});

describe('an image with a digest', () => {
  const was = smallImage('was', AMD64).root.digest;

  /** Its tag names another by now; upstream has both. */
  beforeEach(async () => {
    await site.publish(AGENT, smallImage('was', AMD64));
    await site.publish(AGENT, smallImage('is', AMD64));
  });

  const manifest = (image: string) => `
apiVersion: v1
kind: Pod
metadata: { name: one }
spec: { containers: [{ name: one, image: "${image}" }] }
`;

  test.each([
    ['beside its tag', `${AGENT}@${was}`, AGENT],
    ['alone', `registry.example/tools/agent@${was}`, `registry.example/tools/agent:pinned-${was.slice(7, 19)}`],
  ])('%s, in a manifest: that content is carried, and proven', async (_where, image, name) => {
    await writeFile(site.path('pod.yaml'), manifest(image));
    const lock = await locked({ images: [TOOL], files: [{ path: './pod.yaml' }] });
    expect(lock.images.find((one) => one.name === name)?.digest).toBe(was);
    await build();
    const proof = await closure();
    expect(proof).toMatch(/^yes, named +tools\/agent[:@]\S+ +linux\/amd64 +pod\.yaml$/m);
    expect(proof).not.toMatch(/tools\/agent.* airgap\.yaml/);
    await done('load', 'media', '--key', 'airgap.pub', '--registry', site.enclave.host);
    expect((await (await site.enclave.store.repository('tools/agent'))?.manifest(was))?.digest).toBe(was);
  });

  test('in a chart: that content is carried, and proven', async () => {
    await publishChart('agents', { image: { repository: 'registry.example/tools/agent', tag: '1.0', digest: was } });
    const chart = { repository: REPOSITORY, name: 'agents', version: '1.2.3' };
    const lock = await locked({ charts: [chart] });
    expect(lock.images.find(({ name }) => name === AGENT)?.digest).toBe(was);
    await build();
    expect(await closure()).toMatch(/^yes, named +tools\/agent:1\.0 +linux\/amd64 +charts/m);
  });

  test('in airgap.yaml: that content is carried under the tag', async () => {
    const { images } = await locked({ images: [`${AGENT}@${was}`] });
    expect(images).toMatchObject([{ name: AGENT, digest: was, from: `${AGENT}@${was}` }]);
    await build();
    expect(await closure()).toContain('complete: ');
  });

  test('in airgap.yaml, of one that is chosen as well: the digest counts', async () => {
    const elastic = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana'], monitoring: false };
    for (const [name, graph] of Object.entries(elasticImages(elastic, AMD64))) await site.publish(name, graph);
    const kibana = 'docker.elastic.co/kibana/kibana:9.5.2';
    await site.publish(kibana, smallImage('was', AMD64));
    await site.publish(kibana, smallImage('is', AMD64));
    const { images } = await locked({ elastic, images: [`${kibana}@${was}`] });
    const found = images.filter(({ name }) => name === kibana);
    expect(found).toMatchObject([{ digest: was, uses: [{ component: 'kibana', version: '9.5.2' }] }]);
    await build();
  });

  test('beside the same tag without one in airgap.yaml counts; two digests of one tag are refused', async () => {
    expect((await locked({ images: [AGENT, `${AGENT}@${was}`] })).images).toMatchObject([{ digest: was }]);
    await write({ images: [`${AGENT}@${smallImage('is', AMD64).root.digest}`, `${AGENT}@${was}`] });
    const { status, stderr } = await site.run('lock', 'airgap.yaml');
    expect(status).toBe(2);
    expect(stderr).toContain(`would both be carried as ${AGENT}`);
  });

  test('of an index that is cut to a platform has another one inside: lock and closure say which', async () => {
    const index = smallImage('index', BOTH);
    await site.publish(AGENT, index);
    await writeFile(site.path('pod.yaml'), manifest(`${AGENT}@${index.root.digest}`));
    await write({ files: [{ path: './pod.yaml' }], images: [TOOL] });
    const { stderr } = await site.run('lock', 'airgap.yaml');
    const { digest } = randomImage('index/linux/amd64', { layerSize: 50 }).root;
    expect(stderr).toContain(`pod.yaml pins ${AGENT} to ${index.root.digest}; cut to linux/amd64 it is ${digest}`);
    await build();
    const proof = await closure();
    expect(proof).toMatch(/^NOT as named +tools\/agent:1\.0 +linux\/amd64 +pod\.yaml$/m);
    expect(proof).toContain(`tools/agent:1.0: load puts it there as ${digest}`);
    expect(proof).toMatch(/^not complete as it is named: /m);
    expect(proof).not.toMatch(/^complete/m);
    await write({ files: [{ path: './pod.yaml' }], images: [TOOL], platforms: 'all' });
    expect((await site.run('lock', 'airgap.yaml')).stderr).not.toContain('pins');
  });
});

describe('files', () => {
  const url = 'https://artifacts.elastic.co/tools/rules.tar.gz';
  const content = Buffer.from('rules of a tool');

  test('by URL: what there is now is locked, carried and given out', async () => {
    web.put(url, content);
    const { files } = await locked({ images: [TOOL], files: [{ url }] });
    expect(files).toMatchObject([{ name: 'rules.tar.gz', url, digest: digestOf(content), verified: 'none' }]);
    await build();
    expect(await exported('rules.tar.gz')).toEqual(content);
  });

  test('by URL and digest: nothing else is taken', async () => {
    web.put(url, content);
    const spec = { images: [TOOL], files: [{ url, name: 'rules', digest: digestOf(content) }] };
    const { files } = await locked(spec);
    expect(files).toMatchObject([{ name: 'rules', verified: { by: 'checksum', from: 'airgap.yaml' } }]);
    await build();
    expect(await exported('rules')).toEqual(content);
    web.put(url, 'other rules');
    const { status, stderr } = await site.run('lock', 'airgap.yaml');
    expect(status).toBe(3);
    expect(stderr).toContain('[DIGEST_MISMATCH]');
    expect(stderr).toContain(digestOf(Buffer.from('other rules')));
  });

  test('that are manifests bring their images, but for those that are to be ignored', async () => {
    const pods = [AGENT, PROXY].map((image) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'one' },
      spec: { containers: [{ name: 'one', image }] },
    }));
    await writeFile(site.path('pods.yaml'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods }));
    expect(namesIn(await locked({ images: [TOOL], files: [{ path: './pods.yaml' }] }))).toEqual([AGENT, PROXY, TOOL]);
    const some = { path: './pods.yaml', ignoreImages: [PROXY] };
    expect(namesIn(await locked({ images: [TOOL], files: [some] }))).toEqual([AGENT, TOOL]);
    await build();
    expect(await closure()).toMatch(/^yes, named +tools\/agent:1\.0 +linux\/amd64 +pods\.yaml/m);
  });
});

describe('a licence', () => {
  const elastic = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana'], monitoring: false, licence: './mine.json' };
  beforeEach(async () => {
    for (const [name, graph] of Object.entries(elasticImages(elastic, AMD64))) await site.publish(name, graph);
  });

  test('is carried as licence.json, as it is', async () => {
    const licence = '{"license": {"uid": "0000", "type": "enterprise", "signature": "AAAA"}}\n';
    await writeFile(site.path('mine.json'), licence);
    const { files } = await locked({ elastic });
    expect(files.find(({ name }) => name === 'licence.json')).toMatchObject({ path: './mine.json', verified: 'none' });
    await build();
    expect((await exported('licence.json')).toString()).toBe(licence);
  });

  test.each([
    ['no JSON', 'license: {}'],
    ['the answer of the API', '{"acknowledged": true}'],
  ])('that is none (%s) is refused without showing it', async (_what, text) => {
    await writeFile(site.path('mine.json'), text);
    await write({ elastic });
    const { status, stderr } = await site.run('lock', 'airgap.yaml');
    expect(status).toBe(2);
    expect(stderr).toContain('licence.json (needed by elastic.licence): not a licence file of Elastic');
    expect(stderr).not.toContain(text);
  });
});
