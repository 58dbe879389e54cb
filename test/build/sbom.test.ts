// The bill of materials and the provenance of a bundle, as files in it: taken out by `export`, held against what is there.
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BUILD_TYPE } from '../../src/build/provenance.ts';
import { encodeSbom, type SbomOptions } from '../../src/build/sbom.ts';
import type { BundleManifest } from '../../src/bundle/manifest.ts';
import { parseLock } from '../../src/bundle/lock.ts';
import { VERSION } from '../../src/cli/version.ts';
import { digestOf, hexOf } from '../../src/core/digest.ts';
import { journey, type Journey } from '../support/journey.ts';
import { randomArtifact, randomImage, randomIndex } from '../support/random-image.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const ELASTICSEARCH = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.2';
const CHART = 'docker.elastic.co/charts/chart:1.0.0';
const PLATFORMS = ['linux/amd64', 'linux/arm64'];
let site: Journey;

beforeEach(async () => {
  site = await journey({
    images: {
      [KIBANA]: randomIndex('kibana', { platforms: [...PLATFORMS, 'linux/s390x'], layerSize: 50, attestations: true }),
      [ELASTICSEARCH]: randomIndex('elasticsearch', { layerSize: 50 }),
      [CHART]: randomArtifact('chart'),
    },
    spec: { platforms: PLATFORMS, files: [{ path: './license.json' }] },
  });
  await writeFile(site.path('license.json'), '{}');
});
afterEach(() => site.end());

async function build(media = 'media'): Promise<BundleManifest> {
  const built = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', media);
  expect(built.stderr).not.toContain('Error');
  const { stdout } = await site.run('inspect', media, '--key', 'airgap.pub', '--json');
  return (JSON.parse(stdout) as { manifest: BundleManifest }).manifest;
}

async function exported(name: string): Promise<Buffer> {
  const result = await site.run('export', 'media', name, '--key', 'airgap.pub', '--out', name);
  expect(result.status).toBe(0);
  return site.read(name);
}

interface Component {
  type: string;
  name: string;
  version?: string;
  'bom-ref'?: string;
  purl?: string;
  hashes: { alg: string; content: string }[];
  properties?: { name: string; value: string }[];
  components?: Component[];
}

interface Bom {
  serialNumber: string;
  metadata: { tools: { components: { name: string; version: string }[] }; timestamp?: string };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

const sha256 = (digest: string) => [{ alg: 'SHA-256', content: digest.slice('sha256:'.length) }];

const FILE_URL = 'https://download.elastic.co/downloads/eck/3.5.0/crds.yaml';

describe('sbom.cdx.json', () => {
  test('lists the images, those for each platform, and the files', async () => {
    const manifest = await build();
    const bom = JSON.parse((await exported('sbom.cdx.json')).toString()) as Bom;
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    expect(bom.metadata.tools.components).toMatchObject([{ name: 'eck-airgap', version: VERSION }]);
    expect(bom.components.map((component) => component['bom-ref'])).toEqual([
      ...manifest.images.map(({ name }) => name),
      'file:airgap.lock.yaml',
      'file:license.json',
    ]);
    for (const { name, digest } of [
      ...manifest.images,
      ...manifest.files.filter((file) => file.name === 'license.json'),
    ])
      expect(
        bom.components.find((component) => [name, `file:${name}`].includes(component['bom-ref'] ?? ''))?.hashes,
      ).toEqual(sha256(digest));
    const kibana = bom.components.find((component) => component['bom-ref'] === KIBANA);
    const image = manifest.images.find(({ name }) => name === KIBANA);
    expect(kibana).toMatchObject({ type: 'container', name: 'docker.elastic.co/kibana/kibana', version: '9.5.2' });
    expect(kibana?.purl).toBe(
      `pkg:oci/kibana@${image?.digest ?? ''}?repository_url=docker.elastic.co%2Fkibana%2Fkibana&tag=9.5.2`,
    );
    expect(kibana?.properties).toContainEqual({ name: 'eck-airgap:original', value: image?.original?.digest });
    const children = PLATFORMS.map((platform) => randomImage(`kibana/${platform}`, { platform, layerSize: 50 }).root);
    const containers = kibana?.components?.filter(({ type }) => type === 'container') ?? [];
    expect(containers.map(({ hashes }) => hashes)).toEqual(children.map(({ digest }) => sha256(digest)));
    expect(containers.map(({ purl }) => /arch=([^&]+)/.exec(purl ?? '')?.[1])).toEqual(['amd64', 'arm64']);
    const chart = bom.components.find((component) => component['bom-ref'] === CHART);
    expect(chart).toMatchObject({ type: 'application' });
    expect(chart?.components).toBeUndefined();
    expect(bom.dependencies).toEqual([
      { ref: 'bundle', dependsOn: bom.components.map((component) => component['bom-ref']) },
    ]);
  });

  test('says why an image is there, and what goes with it', () => {
    const digest = digestOf(Buffer.from('image'));
    const node = { digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', size: 1 };
    const signature = { ...node, digest: digestOf(Buffer.from('signature')), tag: 'sha256-x.sig' };
    const image = { name: KIBANA, ...node, platforms: ['linux/amd64'], accompanying: [signature] };
    const uses = [{ component: 'kibana', version: '9.5.2', why: 'chosen' }];
    const options: SbomOptions = {
      name: 'site',
      version: '1.2.3',
      images: [{ ...image, byPlatform: [{ platform: 'linux/amd64', descriptor: node }] }],
      lock: {
        images: [{ ...image, uses, totalSize: 1, verified: { by: 'cosign', key: 'sha256:abc' } }],
        files: [{ name: 'crds.yaml', url: FILE_URL, digest, size: 1, verified: 'none' }],
      },
      files: [{ name: 'crds.yaml', mediaType: 'application/octet-stream', digest, size: 1 }],
      installers: [{ name: 'eck-airgap-linux-x64', digest, size: 1 }],
    };
    const bom = JSON.parse(encodeSbom(options).toString()) as Bom;
    const [kibana, file, installer] = bom.components;
    expect(kibana?.purl).toContain('?arch=amd64&');
    expect(kibana?.properties).toEqual([
      { name: 'eck-airgap:platform', value: 'linux/amd64' },
      { name: 'eck-airgap:use', value: 'kibana 9.5.2: chosen' },
      { name: 'eck-airgap:verified', value: 'cosign sha256:abc' },
    ]);
    expect(file?.purl).toBe(
      `pkg:generic/crds.yaml?checksum=${digest}&download_url=${encodeURIComponent(FILE_URL).replaceAll('%3A', ':')}`,
    );
    expect(file?.properties).toEqual([{ name: 'eck-airgap:verified', value: 'none' }]);
    expect(kibana?.components).toMatchObject([
      { type: 'data', name: 'sha256-x.sig', hashes: sha256(signature.digest) },
    ]);
    expect(installer).toMatchObject({ type: 'application', name: 'eck-airgap-linux-x64', version: '1.2.3' });
    const other = JSON.parse(encodeSbom({ ...options, version: '1.2.4' }).toString()) as Bom;
    const numbers = [bom, other].map(({ serialNumber }) => serialNumber);
    expect(new Set(numbers).size).toBe(2);
    for (const number of numbers)
      expect(number).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('provenance.intoto.json', () => {
  test('is a statement about everything in the bundle, and says what it was made from', async () => {
    const manifest = await build();
    const lockText = await site.read('airgap.lock.yaml');
    const lock = parseLock(lockText.toString(), 'lock');
    const statement = JSON.parse((await exported('provenance.intoto.json')).toString()) as {
      subject: { name: string; digest: { sha256: string } }[];
      predicate: { buildDefinition: { resolvedDependencies: { name: string; digest: { sha256: string } }[] } };
    };
    const subjects = [...manifest.images, ...manifest.files].filter(({ name }) => name !== 'provenance.intoto.json');
    expect(statement.subject).toEqual(
      subjects.map(({ name, digest }) => ({ name, digest: { sha256: hexOf(digest) } })),
    );
    expect(statement).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: BUILD_TYPE,
          externalParameters: {
            name: 'site-alpha',
            spec: { sha256: hexOf(lock.spec) },
            lock: { sha256: hexOf(digestOf(lockText)) },
          },
        },
        runDetails: { builder: { id: 'pkg:generic/eck-airgap', version: { 'eck-airgap': VERSION } } },
      },
    });
    const upstream = new Map(lock.images.map(({ name, digest, original }) => [name, original?.digest ?? digest]));
    upstream.set('license.json', digestOf(Buffer.from('{}')));
    expect(statement.predicate.buildDefinition.resolvedDependencies).toMatchObject(
      [...upstream].map(([name, digest]) => ({ name, digest: { sha256: hexOf(digest) } })),
    );
  });
});

test('both are the same bytes in every build, and have no clock', async () => {
  const first = await build();
  const second = await build('again');
  expect(second.files).toEqual(first.files);
  for (const name of ['sbom.cdx.json', 'provenance.intoto.json']) {
    expect(first.files.map((file) => file.name)).toContain(name);
    expect((await exported(name)).toString()).not.toMatch(
      /timestamp|startedOn|finishedOn|20[0-9]{2}-[0-9]{2}-[0-9]{2}T/,
    );
  }
});

test('a file of airgap.yaml cannot take the name of one of them', async () => {
  await site.writeSpec({ files: [{ name: 'sbom.cdx.json', path: './license.json' }] });
  const result = await site.run('lock', 'airgap.yaml');
  expect(result.status).toBe(2);
  expect(result.stderr).toContain('[CONFIG_INVALID]');
});
