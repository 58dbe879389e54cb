import { describe, expect, test } from 'vitest';
import { chartArtifact, chartReference, HELM_CONFIG } from '../../../src/build/charts/chart-artifact.ts';
import { HELM_CHART } from '../../../src/oci/media-types.ts';
import { readChart } from '../../../src/build/charts/chart-archive.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { contentOf } from '../../../src/oci/content.ts';
import { descriptorOf } from '../../../src/oci/descriptor.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import { memoryTarget } from '../../../src/oci/memory.ts';
import { packChart, type ChartParts } from '../../support/chart.ts';
import { rejected, thrown } from '../../support/thrown.ts';
import { validateGraph } from '../../support/validate-graph.ts';

const CHART = { name: 'app', version: '1.0.0+build.1' };

async function artifactOf(chart: Partial<ChartParts['chart']>) {
  const archive = await packChart({ chart: { ...CHART, ...chart } });
  const { metadata } = await readChart(contentOf(archive).open(0), { where: 'app.tgz', code: 'CONFIG_INVALID' });
  const artifact = chartArtifact(metadata, descriptorOf(archive, HELM_CHART));
  const { annotations } = parseManifest(artifact.manifest.bytes, OCI_MANIFEST);
  const config = JSON.parse(artifact.config.bytes.toString()) as Record<string, unknown>;
  return { archive, artifact, annotations, config };
}

describe('a chart as an artifact', () => {
  test('is a manifest with the media types of Helm around the archive as it is', async () => {
    const { archive, artifact } = await artifactOf({});
    const manifest = parseManifest(artifact.manifest.bytes, OCI_MANIFEST);
    expect(manifest).toMatchObject({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: HELM_CONFIG, digest: artifact.config.descriptor.digest },
      layers: [{ mediaType: HELM_CHART, digest: digestOf(archive), size: archive.byteLength }],
    });
    const target = memoryTarget();
    await target.push(artifact.layer, contentOf(archive));
    for (const { descriptor, bytes } of [artifact.config, artifact.manifest])
      await target.push(descriptor, contentOf(bytes));
    expect(await validateGraph(target, artifact.manifest.descriptor)).toEqual([]);
  });

  test('is the same whenever it is made, and another for another archive', async () => {
    const { artifact } = await artifactOf({});
    expect((await artifactOf({})).artifact).toEqual(artifact);
    expect((await artifactOf({ home: 'x' })).artifact.manifest.descriptor.digest).not.toBe(
      artifact.manifest.descriptor.digest,
    );
  });

  test('has Chart.yaml as its config, as Helm would write it', async () => {
    const { config } = await artifactOf({
      description: 'Two\nlines\u0007',
      keywords: [],
      home: '',
      deprecated: false,
      unknown: 'x',
      maintainers: [{ name: 'Elastic', email: 'eck@elastic.co', url: '' }],
      dependencies: [{ name: 'sub', version: '1.0.0', condition: 'sub.enabled' }],
      annotations: { a: 1, b: true },
    });
    expect(config).toEqual({
      apiVersion: 'v2',
      ...CHART,
      description: 'Two lines',
      maintainers: [{ name: 'Elastic', email: 'eck@elastic.co' }],
      dependencies: [{ name: 'sub', version: '1.0.0', condition: 'sub.enabled', repository: '' }],
      annotations: { a: '1', b: 'true' },
    });
  });

  test('has the annotations that Helm writes, and no time', async () => {
    const { annotations } = await artifactOf({
      description: 'An app',
      home: 'https://app.example',
      sources: ['https://git.example/app', 'https://git.example/other'],
      maintainers: [{ name: 'Ada', email: 'ada@app.example' }, { name: 'Bob' }],
      annotations: {
        'app.example/key': 'value',
        'org.opencontainers.image.title': 'other',
        'org.opencontainers.image.url': 'own',
      },
    });
    expect(annotations).toEqual({
      'app.example/key': 'value',
      'org.opencontainers.image.title': 'app',
      'org.opencontainers.image.version': '1.0.0+build.1',
      'org.opencontainers.image.description': 'An app',
      'org.opencontainers.image.url': 'own',
      'org.opencontainers.image.source': 'https://git.example/app',
      'org.opencontainers.image.authors': 'Ada (ada@app.example), Bob',
    });
    expect((await artifactOf({ home: ' ' })).annotations).toEqual({
      'org.opencontainers.image.title': 'app',
      'org.opencontainers.image.version': '1.0.0+build.1',
    });
  });

  test('is refused where it says something that is no text', async () => {
    const error = await rejected(artifactOf({ annotations: { a: '\ud800' } }));
    expect(error.code).toBe('CONFIG_INVALID');
  });
});

describe('the name of a chart', () => {
  test.each([
    ['https://helm.elastic.co', 'eck-operator', '3.5.0', 'helm.elastic.co/charts/eck-operator:3.5.0'],
    ['https://helm.example:8443/a/b?x=1', 'app', 'v1.0.0', 'helm.example:8443/charts/app:v1.0.0'],
    ['https://helm.example', 'app', '1.0.0-rc.1+b.2', 'helm.example/charts/app:1.0.0-rc.1_b.2'],
    ['http://127.0.0.1:5000', 'app', '1.0.0', '127.0.0.1:5000/charts/app:1.0.0'],
    ['https://chartmuseum', 'app', '1.0.0', 'chartmuseum:443/charts/app:1.0.0'],
    ['http://localhost/', 'app', '1.0.0', 'localhost/charts/app:1.0.0'],
    [undefined, 'app', '1.0.0', 'localhost/charts/app:1.0.0'],
  ])('of %s: %s %s', (repository, name, version, expected) => {
    expect(chartReference({ name, version }, repository)).toBe(expected);
  });

  test.each([
    ['App', '1.0.0'],
    ['app_', '1.0.0'],
    ['a b', '1.0.0'],
    ['app', `1.0.0-${'a'.repeat(128)}`],
  ])('is refused where no registry could have it: %s %s', (name, version) => {
    const error = thrown(() => chartReference({ name, version }, 'https://helm.example'));
    expect(error.code).toBe('REFERENCE_INVALID');
    expect(error.message).toContain(`the chart ${name} ${version}`);
  });
});
