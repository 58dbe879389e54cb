// `diff` end to end: locks and bundles of two days, in every mixture.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Difference } from '../../src/bundle/difference.ts';
import type { Lock } from '../../src/bundle/lock.ts';
import type { BundleManifest } from '../../src/bundle/manifest.ts';
import { hexOf } from '../../src/core/digest.ts';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import type { CliResult } from '../support/cli.ts';
import { journey, type Journey } from '../support/journey.ts';
import { randomArtifact, randomImage, randomIndex, type Graph } from '../support/random-image.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const ELASTICSEARCH = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.2';
const AGENT = 'docker.elastic.co/elastic-agent/elastic-agent:9.5.2';
const CHART = 'docker.elastic.co/charts/eck-stack:0.18.0';
const CHART_TYPE = 'application/vnd.cncf.helm.config.v1+json';

let site: Journey;
beforeEach(async () => {
  site = await journey();
});
afterEach(() => site.end());

type Compared = Difference & { readonly old: object; readonly new: object };

async function done(...argv: string[]): Promise<CliResult> {
  const result = await site.run(...argv);
  expect(result.stderr).not.toContain('Error');
  expect(result.status).toBe(0);
  return result;
}

const build = (out: string, ...more: string[]) =>
  done('build', 'airgap.yaml', '--key', 'airgap.key', '--out', out, ...more);
interface Printed extends Omit<Compared, 'images' | 'charts' | 'files'> {
  readonly differences: Pick<Difference, 'images' | 'files'> & { readonly artifacts: Difference['charts'] };
}

const diff = async (...argv: string[]): Promise<Compared> => {
  const { differences, ...rest } = JSON.parse((await done('diff', ...argv, '--json')).stdout) as Printed;
  return { ...rest, images: differences.images, charts: differences.artifacts, files: differences.files };
};

/** `monday` and `friday` are bundles, monday.yaml and friday.yaml their locks. */
async function twoDays(): Promise<void> {
  await writeFile(site.path('notes.txt'), 'as they were');
  await site.writeSpec({ images: [KIBANA, ELASTICSEARCH], files: [{ path: 'notes.txt' }] });
  await build('monday');
  await writeFile(site.path('monday.yaml'), await site.read('airgap.lock.yaml'));
  await site.publish(KIBANA, randomIndex('kibana, rebuilt'));
  await site.publish(AGENT, randomIndex('agent'));
  await site.publish(CHART, randomArtifact('chart', { artifactType: CHART_TYPE }));
  await writeFile(site.path('notes.txt'), 'other notes');
  await site.writeSpec({ images: [KIBANA, AGENT, CHART], files: [{ path: 'notes.txt' }, { path: 'airgap.pub' }] });
  await done('lock', 'airgap.yaml');
  await build('friday');
  await writeFile(site.path('friday.yaml'), await site.read('airgap.lock.yaml'));
}

const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
const amd64 = (seed: string) => randomImage(`${seed}/linux/amd64`);

/** What the twoDays come to, however they are compared. */
function expectTheDifference({ same, images, charts, files }: Difference): void {
  expect(same).toBe(false);
  expect(names(images.added)).toEqual([AGENT]);
  expect(names(images.removed)).toEqual([ELASTICSEARCH]);
  expect(images.changed).toMatchObject([
    {
      name: KIBANA,
      changes: {
        digest: { old: amd64('kibana').root.digest, new: amd64('kibana, rebuilt').root.digest },
        original: { old: randomIndex('kibana').root.digest, new: randomIndex('kibana, rebuilt').root.digest },
      },
    },
  ]);
  expect(names(charts.added)).toEqual([CHART]);
  expect(names(files.added)).toEqual(['airgap.pub']);
  expect(names(files.changed)).toEqual(['notes.txt']);
}

async function manifestOf(media: string): Promise<BundleManifest> {
  const { stdout } = await done('inspect', media, '--json');
  return (JSON.parse(stdout) as { manifest: BundleManifest }).manifest;
}

/** Bytes of the blobs of one bundle that are not in another. */
async function newBytes(old: string, now: string): Promise<number> {
  const has = new Set((await manifestOf(old)).entries.map(({ digest }) => digest));
  return (await manifestOf(now)).entries
    .filter(({ path, digest }) => path.startsWith('blobs/') && !has.has(digest))
    .reduce((sum, { size }) => sum + size, 0);
}

describe('two bundles', () => {
  test('differ in images, charts and files, and exactly so many bytes are to carry', async () => {
    await twoDays();
    const found = await diff('monday', 'friday', '--key', 'airgap.pub');
    expectTheDifference(found);
    expect(found.carry).toMatchObject({ bytes: await newBytes('monday', 'friday'), exact: true });
    expect(found.old).toMatchObject({ path: 'monday', kind: 'bundle', verified: true });
    expectTheDifference(await diff('monday/site-alpha.tar', 'friday'));
  });

  test('are shown as a table, one row for each change', async () => {
    await twoDays();
    const { stdout } = await done('diff', 'monday', 'friday', '--key', 'airgap.pub');
    const [was, is] = [amd64('kibana').root.digest, amd64('kibana, rebuilt').root.digest];
    expect(stdout).toMatch(new RegExp(`^${KIBANA} +digest +${was} +${is}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${AGENT} +added +- +${amd64('agent').root.digest}$`, 'm'));
    expect(stdout).toMatch(/^notes\.txt +digest +sha256:\w+ +sha256:\w+$/m);
    expect(stdout).not.toMatch(/\b(?:original|accompanying)\b/);
    expect(stdout).toContain(
      '1 image added, 1 chart added, 1 file added, 1 image removed, 1 image changed, 1 file changed\nto carry: ',
    );
  });

  test('of which no signature is checked are warned of, and a wrong key is refused', async () => {
    await build('media');
    const { stderr } = await done('diff', 'media', 'media');
    expect(stderr.match(/media: the signature was not checked/g)).toHaveLength(2);
    expect((await done('diff', 'media', 'media', '--key', 'airgap.pub')).stderr).not.toContain('not checked');
    await writeFile(site.path('other.pub'), generateKeyPair().publicPem);
    const refused = await site.run('diff', 'media', 'media', '--key', 'other.pub');
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('[SIGNATURE_INVALID]');
  });

  test('of one lock, one of them in volumes, are the same', async () => {
    await build('whole');
    await build('volumes', '--volume-size', '1M');
    expect(await readdir(site.path('volumes'))).toContain('site-alpha.tar.001');
    const { stdout } = await done('diff', 'whole', 'volumes/site-alpha.tar.001');
    expect(stdout).toBe(
      'the same content: 2 images and charts, 0 files\nnothing to carry: the old one has every blob of the new one\n',
    );
  });
});

describe('a lock and a bundle', () => {
  test('that was made from it are the same', async () => {
    await twoDays();
    for (const day of ['monday', 'friday']) {
      expect((await diff(`${day}.yaml`, day)).same).toBe(true);
      const { same, carry } = await diff(day, `${day}.yaml`);
      expect(same).toBe(true);
      expect(carry).toEqual({ bytes: 0, exact: true, blobs: 0 });
    }
  });

  test('of two days differ as the bundles do', async () => {
    await twoDays();
    expectTheDifference(await diff('monday', 'friday.yaml'));
    expectTheDifference(await diff('monday.yaml', 'friday'));
  });

  test('differ in what vouched for an image', async () => {
    await build('media');
    await changeImages((image) => ({ ...image, verified: { by: 'cosign', key: 'sha256:abc' } }));
    const { images, carry } = await diff('media', 'airgap.lock.yaml');
    expect(names(images.changed)).toEqual(site.images);
    expect(carry.bytes).toBe(0);
    const { stdout } = await done('diff', 'media', 'airgap.lock.yaml');
    expect(stdout).toMatch(new RegExp(`^${KIBANA} +verified +none +cosign sha256:abc$`, 'm'));
  });
});

describe('two locks', () => {
  test('have exact bytes while the cache has their manifests, else an upper bound', async () => {
    await twoDays();
    const exact = await diff('monday.yaml', 'friday.yaml');
    expectTheDifference(exact);
    const graphs: Graph[] = [
      amd64('kibana, rebuilt'),
      amd64('agent'),
      randomArtifact('chart', { artifactType: CHART_TYPE }),
    ];
    const indexes = [randomIndex('kibana, rebuilt'), randomIndex('agent')].map(({ root }) => root.size);
    const files = [Buffer.byteLength('other notes'), (await site.read('airgap.pub')).byteLength];
    const blobs = graphs.flatMap((graph) => graph.blobs.map(({ descriptor }) => descriptor.size));
    const bytes = [...blobs, ...indexes, ...files].reduce((sum, size) => sum + size, 0);
    expect(exact.carry).toEqual({ bytes, exact: true, blobs: blobs.length + indexes.length + files.length });

    const bound = await diff('monday.yaml', 'friday.yaml', '--cache', 'no-cache');
    expectTheDifference(bound);
    expect(bound.carry).toEqual({ bytes, exact: false });
    const { stdout } = await done('diff', 'monday.yaml', 'friday.yaml', '--cache', 'no-cache');
    expect(stdout).toContain('to carry: at most ');
    expect(await readdir(site.folder)).not.toContain('no-cache');
  });

  test('have an upper bound where a manifest is damaged in the cache', async () => {
    await done('lock', 'airgap.yaml');
    const { digest, size } = amd64('kibana').root;
    const cached = site.path('.cache', 'eck-airgap', 'blobs', 'sha256', hexOf(digest));
    await writeFile(cached, Buffer.alloc(size));
    expect((await diff('airgap.lock.yaml', 'airgap.lock.yaml')).carry).toEqual({ bytes: 0, exact: false });
  });

  test('differ in where an image is from', async () => {
    await done('lock', 'airgap.yaml');
    await writeFile(site.path('old'), await site.read('airgap.lock.yaml'));
    await changeImages((image) => ({ ...image, from: image.name.replace('docker.elastic.co', 'mirror.example') }));
    const { stdout } = await done('diff', 'old', 'airgap.lock.yaml');
    expect(stdout).toMatch(new RegExp(`^${KIBANA} +from +${KIBANA} +mirror.example/kibana/kibana:9.5.2$`, 'm'));
    expect(stdout).toContain('2 images changed');
  });
});

test('a lock cannot write rows of its own', async () => {
  await done('lock', 'airgap.yaml');
  await writeFile(site.path('old'), await site.read('airgap.lock.yaml'));
  await changeImages((image) => ({ ...image, from: 'elsewhere\nnothing to carry\u001b[2J' }));
  const { stdout } = await done('diff', 'old', 'airgap.lock.yaml');
  expect(stdout).toMatch(/ elsewhere\\nnothing to carry\\u001b\[2J$/m);
  expect(stdout).not.toContain('\u001b');
});

describe('what is neither', () => {
  test.each([
    ['absent.yaml', 'FILE_NOT_FOUND', 2],
    ['absent.tar.001', 'VOLUME_MISSING', 4],
    ['airgap.yaml', 'CONFIG_INVALID', 2],
    ['large', 'CONFIG_INVALID', 2],
    ['.', 'FILE_NOT_FOUND', 2],
  ])('%s is refused with %s', async (path, code, status) => {
    await done('lock', 'airgap.yaml');
    await writeFile(site.path('large'), Buffer.alloc(20 * 1024 * 1024, '#'));
    const result = await site.run('diff', 'airgap.lock.yaml', path, '--json');
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code } });
    expect(result.status).toBe(status);
  });

  test('a bundle is one under any name', async () => {
    await build('media');
    await writeFile(site.path('of-last-year'), await readFile(site.path('media', 'site-alpha.tar')));
    expect((await diff('of-last-year', 'media')).same).toBe(true);
  });
});

async function changeImages(change: (image: Lock['images'][number]) => Lock['images'][number]): Promise<void> {
  await site.changeLock((lock) => ({ ...lock, images: lock.images.map(change) }));
}
