// The closure proof from end to end: at the end of `build`, before anything is on the media, and again inside, offline.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { packBundle } from '../../src/build/pack.ts';
import { writeBundle } from '../../src/bundle/writer.ts';
import { openCache } from '../../src/oci/cache.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { journey, type Journey } from '../support/journey.ts';
import { PLATFORMS } from '../support/locks.ts';
import { elasticChartNames, elasticImages } from '../support/elastic-upstream.ts';
import { randomIndex } from '../support/random-image.ts';
import { signerOf } from '../support/signer.ts';

let site: Journey;
afterEach(() => site.end());

const build = (...more: string[]) => site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', ...more);
const inspect = (...more: string[]) => site.run('inspect', 'media', '--key', 'airgap.pub', '--closure', ...more);

/** An upstream with small images under the names that follow from `elastic`, and no other. */
async function upstreamFor(elastic: { readonly eck: string }, more: Record<string, unknown> = {}): Promise<string[]> {
  site = await journey({ images: elasticImages(elastic) });
  await site.writeSpec({ elastic, images: [], platforms: PLATFORMS, ...more });
  return [...site.images];
}

const cases = [
  { eck: '2.16.1', stack: ['8.17.0'], flavour: 'default', components: ['elasticsearch', 'kibana', 'maps-server'] },
  { eck: '3.0.0', stack: ['8.19.8'], flavour: 'ubi', components: ['logstash', 'fleet-server', 'enterprise-search'] },
  { eck: '3.2.0', stack: ['9.1.0'], flavour: 'wolfi', components: ['kibana', 'package-registry', 'elastic-agent'] },
  { eck: '3.3.0', stack: ['8.15.5'], flavour: 'fips', components: ['maps-server', 'package-registry', 'apm-server'] },
  {
    eck: '3.5.0',
    stack: ['8.19.20', '9.2.0'],
    flavour: 'ubi-fips',
    components: ['package-registry', 'heartbeat'],
    packageRegistry: 'full',
    diagnostics: true,
  },
];

describe.each(cases)('ECK $eck, Stack $stack, $flavour', (elastic) => {
  test('is built complete, proven inside, and not built without any one of its images', async () => {
    const names = await upstreamFor(elastic);
    const result = await build();
    expect(result.stderr).not.toContain('Error');
    expect(result.status).toBe(0);
    const proof = await inspect();
    expect(proof.status).toBe(0);
    expect(proof.stdout.trimEnd().split('\n').at(-1)).toBe(
      `complete: every image that ECK ${elastic.eck} derives and every image that is named is there, for every platform`,
    );
    const whole = await site.read('airgap.lock.yaml');
    for (const name of names) {
      await writeFile(site.path('airgap.lock.yaml'), whole);
      await site.changeLock((lock) => ({ ...lock, images: lock.images.filter((image) => image.name !== name) }));
      const refused = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'lacking', '--json');
      expect(refused.status).toBe(4);
      const { error } = JSON.parse(refused.stdout) as { error: { code: string; details: { missing: object[] } } };
      expect(error.code).toBe('BUNDLE_INCOMPLETE');
      expect(error.details.missing).toMatchObject([{ image: name, platforms: [] }]);
    }
    await expect(readdir(site.path('lacking'))).rejects.toThrow('ENOENT');
  });
});

describe('the proof', () => {
  const elastic = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana', 'package-registry'] };

  test('shows a table for each setting', async () => {
    await upstreamFor(elastic);
    await build();
    const { stdout } = await inspect();
    expect(stdout).toContain('container-registry: images keep their paths');
    expect(stdout).toMatch(/^yes +kibana\/kibana:9\.5\.2 +linux\/amd64,linux\/arm64 +Kibana 9\.5\.2$/m);
    expect(stdout).toMatch(/^yes +elastic\/metricbeat:9\.5\.2 .* Stack monitoring of Kibana 9\.5\.2$/m);
    expect(stdout.match(/^yes +package-registry\/distribution:lite-9\.5\.2/gm)).toHaveLength(2);
  });

  test('asks for nothing but the bundle', async () => {
    await upstreamFor(elastic);
    await build();
    site.upstream.forget();
    const { stdout } = await inspect('--json');
    const proof = JSON.parse(stdout) as { verified: boolean; eck: string; missing: unknown[]; settings: object[] };
    expect(proof).toMatchObject({ verified: true, eck: '3.5.0', missing: [] });
    expect(proof.settings).toMatchObject([{ setting: 'container-registry' }, { setting: 'container-repository' }]);
    expect(site.upstream.requests).toEqual([]);
  });

  test('believes content and not what a lock says of it', async () => {
    const names = await upstreamFor(elastic, { platforms: ['linux/amd64'] });
    await site.run('lock', 'airgap.yaml');
    await site.writeSpec({ elastic, images: [], platforms: PLATFORMS });
    const stale = await site.readLock();
    await site.run('lock', 'airgap.yaml');
    await site.changeLock((lock) => ({
      ...lock,
      images: stale.images.map(({ original, ...image }) => ({ ...image, platforms: original ? PLATFORMS : [] })),
    }));
    const refused = await build();
    expect(refused.status).toBe(4);
    expect(refused.stderr).toContain(`${names[0] ?? ''} is missing for linux/arm64`);
    expect(await readdir(site.path('media'))).toEqual([]);
  });

  test('of a bundle with two images of one flattened name says so, and it is built', async () => {
    const both = ['docker.elastic.co/support/diagnostics:1.11.0', 'docker.elastic.co/eck/diagnostics:1.11.0'];
    site = await journey({ images: Object.fromEntries(both.map((name) => [name, randomIndex(name)])) });
    const built = await build();
    expect(built.status).toBe(0);
    expect(built.stderr).toContain('would both be named elastic/diagnostics:1.11.0');
    const { stdout, status } = await inspect();
    expect(status).toBe(0);
    expect(stdout).toContain('refused: ');
    expect(stdout).toContain('container-repository is refused as long as two images have one name');
    const load = ['load', 'media', '--key', 'airgap.pub', '--registry', site.enclave.host];
    expect((await site.run(...load, '--flatten', 'elastic')).stderr).toContain('[NAME_COLLISION]');
    expect((await site.run(...load)).status).toBe(0);
  });

  test('of a bundle that lacks an image, made by another program, shows which and exits with 4', async () => {
    const names = await upstreamFor(elastic);
    await build();
    const lock = await site.readLock();
    const self = { pid: process.pid, isAlive: () => false };
    const cache = await openCache(site.path('.cache', 'eck-airgap'), { self });
    const lacking = { ...lock, images: lock.images.filter(({ name }) => name !== names[0]) };
    const packed = await packBundle(lacking, cache, { version: '0.0.0' });
    const signer = signerOf((await site.read('airgap.key')).toString());
    const to = { folder: site.path('lacking'), fileName: 'site-alpha.tar', signer, self };
    await mkdir(to.folder);
    await writeBundle(packed.manifest, packed, to);
    const argv = ['inspect', 'lacking', '--key', 'airgap.pub', '--closure'];
    const shown = await site.run(...argv);
    expect(shown.status).toBe(4);
    expect(shown.stdout).toMatch(/^NO +beats\/filebeat:9\.5\.2 /m);
    expect(shown.stdout).not.toContain('complete');
    expect(shown.stderr).toContain('[BUNDLE_INCOMPLETE]');
    const json = await site.run(...argv, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { code: 'BUNDLE_INCOMPLETE', details: { missing: [{ image: names[0] }] } },
    });
  });

  test('two images that could be loaded under no name of their own are not built', async () => {
    const both = ['docker.elastic.co/kibana/kibana:9.5.2', 'registry.example/kibana/kibana:9.5.2'];
    site = await journey({ images: Object.fromEntries(both.map((name) => [name, randomIndex(name)])) });
    await site.publish('docker.elastic.co/other/kibana:9.5.2', randomIndex('other'));
    await site.writeSpec({ images: [both[0], 'docker.elastic.co/other/kibana:9.5.2'] });
    await site.run('lock', 'airgap.yaml');
    await site.changeLock((lock) => ({
      ...lock,
      images: lock.images.map((image) =>
        parseReference(image.name).repository === 'other/kibana' ? { ...image, name: both[1] ?? '' } : image,
      ),
    }));
    const refused = await build();
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('[NAME_COLLISION]');
  });
});

test('load --flatten puts every name there that ECK derives, the package registry where ECK looks for it', async () => {
  const elastic = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana', 'package-registry'], monitoring: false };
  const [images, charts] = [await upstreamFor(elastic), elasticChartNames(elastic.eck)];
  const names = [...images, ...charts];
  await build();
  const { settings } = JSON.parse((await inspect('--json')).stdout) as {
    settings: { setting: string; images: { image: string }[] }[];
  };
  const target = `${site.enclave.host}/mirror`;
  const loaded = await site.run('load', 'media', '--key', 'airgap.pub', '--registry', target, '--flatten', 'elastic');
  expect(loaded.stdout).toContain(`${images.length} images and ${charts.length} artifacts in`);
  const flattened = settings.find(({ setting }) => setting === 'container-repository')?.images ?? [];
  expect(flattened).toHaveLength(names.length);
  for (const { image } of flattened) {
    const [repository = '', tag = ''] = image.split(':');
    const stored = await site.enclave.store.repository(`mirror/${repository}`);
    expect(await stored?.manifest(tag)).toBeDefined();
  }
});
