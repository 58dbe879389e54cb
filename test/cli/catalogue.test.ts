// airgap.yaml by versions and components instead of names: the catalogue's images from `lock` to the registry inside.
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lock } from '../../src/bundle/lock.ts';
import { elasticChartNames } from '../support/elastic-upstream.ts';
import { journey, type Journey } from '../support/journey.ts';
import { randomIndex } from '../support/random-image.ts';

const ELASTIC = { eck: '3.5.0', stack: ['8.15.5'], components: ['kibana', 'maps-server'] };
const PLATFORMS = ['linux/amd64', 'linux/arm64'];
const CHARTS = elasticChartNames(ELASTIC.eck);
const MAPS = 'docker.elastic.co/elastic-maps-service/elastic-maps-server-ubi:8.15.5';
const NAMES = [
  'docker.elastic.co/beats/filebeat:8.15.5',
  'docker.elastic.co/beats/metricbeat:8.15.5',
  'docker.elastic.co/eck/eck-operator:3.5.0',
  'docker.elastic.co/kibana/kibana:8.15.5',
];
let site: Journey;

beforeEach(async () => {
  const several = NAMES.map((name) => [name, randomIndex(name, { platforms: [...PLATFORMS, 'linux/s390x'] })] as const);
  site = await journey({
    images: {
      ...Object.fromEntries(several),
      [MAPS]: randomIndex('maps', { platforms: ['linux/amd64', 'linux/s390x'] }),
    },
  });
  await site.writeSpec({ elastic: ELASTIC, images: [], platforms: PLATFORMS });
});
afterEach(() => site.end());

async function lock(...flags: string[]): Promise<Lock> {
  const result = await site.run('lock', 'airgap.yaml', ...flags);
  expect(result.stderr).not.toContain('Error');
  return site.readLock();
}

describe('lock', () => {
  test('pins what follows from the catalogue, with its reasons, and each image for the platforms it has', async () => {
    const { images } = await lock();
    expect(images.map(({ name, platforms }) => [name, platforms])).toEqual([
      ...NAMES.slice(0, 3).map((name) => [name, PLATFORMS]),
      [MAPS, ['linux/amd64']],
      [NAMES[3], PLATFORMS],
      ...CHARTS.map((name) => [name, []]),
    ]);
    expect(images[0]?.uses).toEqual([
      { component: 'filebeat', version: '8.15.5', why: 'Stack monitoring of Kibana runs it as a sidecar' },
    ]);
  });

  test('takes an image that is named as well once, and others beside it', async () => {
    const tool = 'docker.elastic.co/tools/tool:1';
    await site.publish(tool, randomIndex('tool'));
    await site.writeSpec({
      elastic: { ...ELASTIC, monitoring: false },
      images: [NAMES[3], tool],
      platforms: PLATFORMS,
    });
    const { images } = await lock();
    expect(images.map(({ name }) => name)).toEqual([NAMES[2], MAPS, NAMES[3], tool, ...CHARTS]);
    expect(images.map(({ uses }) => uses?.length)).toEqual([1, 1, 1, undefined, ...CHARTS.map(() => 1)]);
  });

  test('says what a person should know of the choice', async () => {
    expect((await site.run('lock', 'airgap.yaml')).stderr).toContain('Enterprise licence');
  });

  test('refuses what does not work together before it asks a registry', async () => {
    await site.writeSpec({ elastic: { ...ELASTIC, stack: ['9.5.2'], eck: '2.16.1' }, images: [] });
    site.upstream.forget();
    const result = await site.run('lock', 'airgap.yaml');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('[VERSION_UNSUPPORTED]');
    expect(site.upstream.requests).toEqual([]);
  });

  test('lets a version newer than the tables through with its flag alone', async () => {
    const elastic = { eck: '3.6.0', stack: ['9.9.0'], components: ['kibana'], monitoring: false };
    const names = ['docker.elastic.co/eck/eck-operator:3.6.0', 'docker.elastic.co/kibana/kibana:9.9.0'];
    for (const name of names) await site.publish(name, randomIndex(name));
    await site.writeSpec({ elastic, images: [] });
    const refused = await site.run('lock', 'airgap.yaml');
    expect(refused.stderr).toContain('[VERSION_UNKNOWN]');
    expect(refused.stderr).toContain('--allow-unknown-version');
    expect((await site.run('lock', 'airgap.yaml', '--allow-unknown-version')).stderr).toContain('chart eck-stack');
    const { images } = await lock('--allow-unknown-version');
    expect(images.map(({ name }) => name)).toEqual([...names, ...elasticChartNames('3.6.0')]);
  });

  test('reads a catalogue file beside airgap.yaml, and notices when it changes', async () => {
    const { fingerprint } = (await site.downloads()).signingKey;
    const text = (version: string) => `
apiVersion: eck-airgap/v1
kind: Catalogue
components: [{ name: tool, version: ${version}, repositories: [{ repository: tools/tool }] }]
signingKeys: [{ name: GPG-KEY-elasticsearch, fingerprint: ${fingerprint} }]
`;
    await site.publish('docker.elastic.co/tools/tool:1.0.0', randomIndex('tool'));
    await writeFile(site.path('mine.yaml'), text('1.0.0'));
    await site.writeSpec({ elastic: { eck: '3.5.0', components: ['tool'], catalogue: 'mine.yaml' }, images: [] });
    expect((await lock()).images.map(({ name }) => name)).toContain('docker.elastic.co/tools/tool:1.0.0');
    const build = () => site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media');
    expect((await build()).status).toBe(0);
    await writeFile(site.path('mine.yaml'), text('2.0.0'));
    expect((await build()).stderr).toContain('[LOCK_STALE]');
  });

  test('needs the catalogue file that is named', async () => {
    await site.writeSpec({ elastic: { ...ELASTIC, catalogue: 'absent.yaml' }, images: [] });
    expect((await site.run('lock', 'airgap.yaml')).stderr).toContain('[FILE_NOT_FOUND]');
  });
});

test('what the catalogue chose is in the registry inside, an image of fewer platforms too', async () => {
  const built = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media');
  expect(built.stderr).not.toContain('Error');
  const target = `${site.enclave.host}/elastic`;
  const loaded = await site.run('load', 'media', '--key', 'airgap.pub', '--registry', target);
  expect(loaded.status).toBe(0);
  for (const name of [...NAMES, MAPS]) expect(loaded.stdout).toContain(name.replace('docker.elastic.co', target));
});
