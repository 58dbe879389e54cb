// Charts as OCI artifacts, with the real helm: it takes those that we make, makes the same itself, and agrees with us on which
// images a chart names.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { helm } from '../../scripts/interop/helm.ts';
import { chartArtifact } from '../../src/build/charts/chart-artifact.ts';
import { HELM_CHART } from '../../src/oci/media-types.ts';
import { readChart } from '../../src/build/charts/chart-archive.ts';
import { chartImages } from '../../src/build/charts/chart-images.ts';
import { findChart, parseIndex } from '../../src/build/charts/chart-index.ts';
import type { Chart } from '../../src/build/charts/chart.ts';
import { digestOf } from '../../src/core/digest.ts';
import { contentOf, readBlob } from '../../src/oci/content.ts';
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.ts';
import { readManifest, type Manifest } from '../../src/oci/manifest.ts';
import { formatReference, parseReference } from '../../src/oci/reference.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { Repository } from '../../src/registry/repository.ts';
import { packChart, type ChartParts, type Subchart } from '../support/chart.ts';
import { journey } from './stage/journey.ts';
import type { Stage } from './stage/setup.ts';
import { enclaveRegistry, scratchFolder } from './stage/site.ts';

const NEEDS = { needs: ['helm'] } as const;
const CREATED = 'org.opencontainers.image.created';

/** A template with an image out of the values, and one that stands there. */
const pod = (literal: string): string => `apiVersion: v1
kind: Pod
metadata: { name: {{ .Chart.Name }} }
spec:
  containers:
    - name: app
      image: "{{ with (.Values.global).imageRegistry }}{{ . }}/{{ end }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
    - name: side
      image: ${literal}
`;

/** Everything that helm reads of Chart.yaml, and some that it cleans or leaves out. */
const CHART: ChartParts['chart'] = {
  name: 'app',
  version: '1.0.0+build.1',
  appVersion: 2,
  type: 'application',
  description: 'Two lines,\nand a tab\t\u0007',
  home: 'https://app.example',
  icon: 'https://app.example/icon.png',
  kubeVersion: '>=1.21.0-0',
  keywords: ['a', 1.5, true],
  sources: ['https://git.example/app', 'https://git.example/more'],
  maintainers: [{ name: 'Ada', email: 'ada@app.example' }, { name: 'Bob', url: '' }, { email: 'eve@app.example' }],
  annotations: {
    'app.example/key': 'v',
    'org.opencontainers.image.title': 'other',
    'org.opencontainers.image.url': 'own',
  },
  deprecated: false,
  dependencies: [
    { name: 'sub', version: '1.0.0', condition: 'sub.enabled', tags: ['back'], 'import-values': ['data'] },
  ],
  unknown: 'key',
};
const SUB: Subchart = {
  chart: { name: 'sub', version: '1.0.0' },
  values: { enabled: true, exports: { data: { a: 1 } } },
};
const APP: ChartParts = {
  chart: CHART,
  values: { image: { repository: 'x.io/app', tag: '' } },
  templates: { 'pod.yaml': pod('quay.io/x/side:1') },
  subcharts: [SUB],
};

describe('09 charts', () => {
  journey('helm pulls, shows and renders the artifact that we make and push', NEEDS, async (stage) => {
    const { host, repository, folder } = await place(stage);
    const archive = await packChart(APP);
    await push(repository, archive);
    const chart = [`oci://${host}/prefix/charts/app`, '--version', '1.0.0+build.1', '--plain-http'];
    await helm(folder, ['pull', ...chart]);
    expect(await readFile(join(folder, 'app-1.0.0+build.1.tgz'))).toEqual(archive);
    expect((await helm(folder, ['show', 'chart', ...chart])).stdout).toContain('version: 1.0.0+build.1');
    const rendered = (await helm(folder, ['template', 'release', ...chart])).stdout;
    expect(imagesRendered(rendered)).toEqual(['quay.io/x/side:1', 'x.io/app:2']);
  });

  journey('helm push makes the same artifact, but for the time that it writes', NEEDS, async (stage) => {
    const { host, repository, folder } = await place(stage);
    const archive = await packChart(APP);
    const ours = await push(repository, archive);
    await writeFile(join(folder, 'app.tgz'), archive);
    await helm(folder, ['push', 'app.tgz', `oci://${host}/prefix/charts`, '--plain-http']);
    const root = await repository.resolve('1.0.0_build.1');
    const theirs = await manifestOf(repository, root);
    expect(theirs.layers).toEqual(ours.layers);
    expect(theirs.config.mediaType).toBe(ours.config.mediaType);
    const { [CREATED]: created, ...annotations } = theirs.annotations ?? {};
    expect(created).toBeDefined();
    expect(annotations).toEqual(ours.annotations);
    const configs = await Promise.all([theirs, ours].map(({ config }) => readBlob(repository, config)));
    const [their, our] = configs.map((bytes) => JSON.parse(bytes.toString()) as unknown);
    expect(our).toEqual(their);
  });

  journey('what helm creates, packages and indexes is found and read', NEEDS, async (stage) => {
    const folder = await scratchFolder(stage, 'helm-');
    await helm(folder, ['create', 'scaffold']);
    await helm(folder, ['package', 'scaffold']);
    await helm(folder, ['repo', 'index', '.', '--url', 'https://helm.example/a']);
    const { stdout } = await helm(folder, ['template', 'release', 'scaffold', '--skip-tests']);
    const index = parseIndex(await readFile(join(folder, 'index.yaml'), 'utf8'), 'https://helm.example/a/index.yaml');
    const found = findChart(index, { name: 'scaffold', version: '0.1.0' }, 'https://helm.example/a');
    const archive = await readFile(join(folder, 'scaffold-0.1.0.tgz'));
    expect(found.digest).toBe(digestOf(archive));
    expect(found.url).toBe('https://helm.example/a/scaffold-0.1.0.tgz');
    expect(chartImages(await read(archive))).toEqual(imagesRendered(stdout));
  });

  journey(
    'helm renders the images that we find, sub-charts, aliases, conditions and tags included',
    NEEDS,
    async (stage) => {
      const folder = await scratchFolder(stage, 'helm-');
      const found: Record<string, string[]> = {};
      const rendered: Record<string, string[]> = {};
      for (const [name, parts] of Object.entries(umbrellas())) {
        const archive = await packChart(parts);
        await mkdir(join(folder, name));
        await writeFile(join(folder, name, 'chart.tgz'), archive);
        const { stdout } = await helm(folder, ['template', 'release', join(folder, name, 'chart.tgz')]);
        found[name] = chartImages(await read(archive));
        rendered[name] = imagesRendered(stdout);
      }
      expect(found).toEqual(rendered);
      expect(new Set(Object.values(found).map((images) => images.join())).size).toBeGreaterThan(5);
    },
  );
});

/** Charts with two levels of sub-charts, each a question of which are on and with which values. */
function umbrellas(): Record<string, ChartParts> {
  const leaf: Subchart = {
    chart: { name: 'leaf', version: '1.0.0', appVersion: '3.0' },
    values: { image: { repository: 'x.io/leaf', tag: null }, enabled: false },
    templates: { 'pod.yaml': pod('x.io/literal/leaf:1') },
  };
  const middle = (dependency: object, more: object = {}): Subchart => ({
    chart: {
      name: 'middle',
      version: '1.0.0',
      appVersion: '4.0',
      dependencies: [{ name: 'leaf', version: '1.0.0', ...dependency }],
    },
    values: { image: { repository: 'x.io/middle', tag: '4' }, ...more },
    templates: { 'pod.yaml': pod('x.io/literal/middle:1') },
    subcharts: [leaf],
    packed: true,
  });
  const parent = (subchart: Subchart, values: object = {}, dependencies: object[] | null = []): ChartParts => ({
    chart: { name: 'parent', version: '1.0.0', appVersion: '5.0', ...(dependencies && { dependencies }) },
    values: { image: { repository: 'x.io/parent' }, ...values },
    templates: { 'pod.yaml': pod('x.io/literal/parent:1') },
    subcharts: [subchart],
  });
  const on = { middle: { leaf: { enabled: true } } };
  const conditional = { condition: 'leaf.enabled' };
  const aliases = ['one', 'two'].map((alias) => ({
    name: 'middle',
    version: '1.0.0',
    alias,
    condition: `${alias}.on`,
  }));
  const tagged = [{ name: 'middle', version: '1.0.0', tags: ['back'] }];
  return {
    undeclared: parent(middle({})),
    off: parent(middle(conditional)),
    on: parent(middle(conditional), on),
    'off below no declaration': parent(middle(conditional), {}, null),
    'set from above': parent(middle({}), {
      middle: { image: { tag: '9' }, leaf: { image: { repository: 'y.io/leaf' } } },
    }),
    'tag taken away': parent(middle({}), { middle: { image: { tag: null } } }),
    registry: parent(middle({}), {
      global: { imageRegistry: 'all.example' },
      image: { repository: 'parent' },
      middle: { image: { repository: 'middle' }, leaf: { image: { repository: 'leaf' } } },
    }),
    aliases: parent(middle({}), { one: { image: { tag: '1' } }, two: { on: false } }, aliases),
    'tag off': parent(middle({}), { tags: { back: false } }, tagged),
    'tag off, in the middle': parent(middle({ tags: ['deep'] }, { tags: { deep: false } })),
    'tag on from above': parent(
      middle({ tags: ['deep'] }, { tags: { deep: false } }),
      { tags: { deep: true } },
      tagged,
    ),
    'first condition': parent(middle({ condition: 'a.b,leaf.enabled' }), { middle: { a: { b: true } } }),
    'condition with a space': parent(middle({ condition: 'x, leaf.enabled' })),
  };
}

/** A registry, a repository in it, and a folder for helm. */
async function place(stage: Stage) {
  const registry = await enclaveRegistry(stage, 'plain');
  const folder = await scratchFolder(stage, 'helm-');
  const client = new Registry(registry.host);
  onTestFinished(() => client.close());
  return { host: registry.host, repository: client.repository('prefix/charts/app'), folder };
}

/** Answers the manifest. */
async function push(repository: Repository, archive: Buffer): Promise<Manifest> {
  const { config, layer, manifest } = chartArtifact((await read(archive)).metadata, descriptorOf(archive, HELM_CHART));
  await repository.push(layer, contentOf(archive));
  for (const { descriptor, bytes } of [config, manifest]) await repository.push(descriptor, contentOf(bytes));
  await repository.tag(manifest.descriptor, '1.0.0_build.1');
  return manifestOf(repository, manifest.descriptor);
}

async function manifestOf(repository: Repository, root: Descriptor): Promise<Manifest> {
  const manifest = await readManifest(repository, root);
  if (manifest.kind !== 'manifest') throw new Error(`${root.digest} is an index`);
  return manifest;
}

function read(archive: Buffer): Promise<Chart> {
  return readChart(contentOf(archive).open(0), { where: 'the chart', code: 'CONFIG_INVALID' });
}

function imagesRendered(manifests: string): string[] {
  const images = [...manifests.matchAll(/^ +(?:- )?image: "?([^"\n]+)"?$/gm)].map(([, image = '']) => image);
  return [...new Set(images.map((image) => formatReference(parseReference(image))))].sort();
}
