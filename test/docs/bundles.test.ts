// docs/bundles.md: each airgap.yaml of the page is locked and built from an upstream that has what it selects and nothing
// else, is proven complete, and carries what the page says of it.
import { readFile, writeFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fromSources } from '../../src/build/from-sources.ts';
import { wantedBySpec } from '../../src/build/wanted-by-spec.ts';
import { LOCK_FILE, parseLock, type Lock } from '../../src/bundle/lock.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { elasticChartNames, smallImage } from '../support/elastic-upstream.ts';
import { journey, type Journey } from '../support/journey.ts';
import { PLATFORMS } from '../support/locks.ts';
import type { Graph } from '../support/random-image.ts';

const page = await readFile(new URL('../../docs/bundles.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);

interface Example {
  readonly metadata: { readonly name: string };
  readonly elastic: { readonly eck: string } & Readonly<Record<string, unknown>>;
  readonly files?: readonly { readonly path: string }[];
}

/** A manifest of the user's own, as the page wants one for OpenShift; the image that it names is not Elastic's. */
const OWN_IMAGE = 'registry.example/site/checks:1.0';
const SCC = `
apiVersion: security.openshift.io/v1
kind: SecurityContextConstraints
metadata: { name: elastic-agent }
allowHostDirVolumePlugin: true
allowPrivilegedContainer: false
runAsUser: { type: RunAsAny }
seLinuxContext: { type: MustRunAs }
users: ["system:serviceaccount:elastic:elastic-agent"]
---
apiVersion: batch/v1
kind: Job
metadata: { name: checks }
spec: { template: { spec: { containers: [{ name: checks, image: "${OWN_IMAGE}" }] } } }
`;

let site: Journey;

/** Image references that a registry is asked for, each with a small image. */
function upstreamOf(text: string): Record<string, Graph> {
  const spec = parseSpec(text, 'docs/bundles.md');
  const { images } = wantedBySpec(spec, {});
  const operator = `docker.elastic.co/eck/eck-operator:${spec.elastic?.eck ?? ''}`;
  const beside = images.some(({ name }) => name === operator) ? [] : [{ name: operator, platforms: spec.platforms }];
  const own = spec.files.length === 0 ? [] : [{ name: OWN_IMAGE, platforms: spec.platforms }];
  const taken = fromSources([...images, ...beside, ...own], spec.sources);
  return Object.fromEntries(
    taken.map(({ name, from = name, platforms }) => [
      from,
      smallImage(from, platforms === 'all' ? PLATFORMS : platforms),
    ]),
  );
}

/** Locks it with the page's text, but for what stands in for the outside. */
async function locked(text: string, more: Record<string, unknown> = {}): Promise<Lock> {
  const example = load(text) as Example;
  const elastic = { ...example.elastic, ...more };
  const made = await journey({ images: upstreamOf(JSON.stringify({ ...example, elastic })), realCrds: true });
  onTestFinished(() => made.end());
  site = made;
  if (example.files?.[0]?.path === './scc.yaml') await writeFile(site.path('scc.yaml'), SCC);
  const upstream = `http://${site.upstream.host}`;
  const mirrors = { 'docker.elastic.co': upstream, 'registry1.dso.mil': upstream, 'registry.example': upstream };
  await site.writeSpec({ images: [], ...example, elastic, mirrors });
  const { stderr, status } = await site.run('lock', 'airgap.yaml');
  expect(stderr).not.toContain('Error');
  expect(status).toBe(0);
  return parseLock((await site.read(LOCK_FILE)).toString(), LOCK_FILE);
}

const imagesIn = ({ images }: Lock) => images.filter(({ chart }) => chart === undefined);
const namesIn = (lock: Lock) => imagesIn(lock).map(({ name }) => name.replace('docker.elastic.co/', ''));

/** Text of the example with that name. */
function exampleOf(name: string): string {
  const found = examples.find((text) => (load(text) as Example).metadata.name === name);
  expect(found, name).toBeDefined();
  return found ?? '';
}

test('there are five, each under the heading that the page begins with', () => {
  expect(examples).toHaveLength(5);
  const listed = [...page.matchAll(/^- \[.*?\]\(#(.*?)\)/gm)].map(([, anchor]) => anchor);
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'));
  expect(listed).toEqual(headings);
});

test.each(examples.map((text) => [(load(text) as Example).metadata.name, text]))(
  '%s is locked, built, and complete',
  async (_name, text) => {
    const lock = await locked(text);
    expect(
      imagesIn(lock)
        .map(({ name, from = name }) => from)
        .sort(),
    ).toEqual(site.images);
    const { eck } = (load(text) as Example).elastic;
    for (const name of elasticChartNames(eck)) expect(lock.images.map((image) => image.name)).toContain(name);
    const carried = lock.files.map(({ name }) => name);
    for (const name of [`eck-${eck}-crds.yaml`, `eck-${eck}-operator.yaml`, 'GPG-KEY-elasticsearch'])
      expect(carried).toContain(name);
    const built = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media');
    expect(built.stderr).not.toContain('Error');
    site.upstream.forget();
    const proof = await site.run('inspect', 'media', '--key', 'airgap.pub', '--closure');
    expect(proof.stdout).toContain('complete: every image');
    expect(proof.stdout).not.toContain('refused');
    expect([proof.status, site.upstream.requests]).toEqual([0, []]);
  },
);

describe('the page says truly that', () => {
  test('Elasticsearch and Kibana are three images, and five with monitoring', async () => {
    expect(page).toContain('Three images. With `monitoring` (the default) there are two more');
    expect(imagesIn(await locked(exampleOf('minimal')))).toHaveLength(3);
    const names = namesIn(await locked(exampleOf('minimal'), { monitoring: true }));
    expect(names).toHaveLength(5);
    expect(names).toEqual(expect.arrayContaining(['beats/filebeat:9.5.2', 'beats/metricbeat:9.5.2']));
  });

  test('Fleet Server and agents are one image, and the full package registry has to be named', async () => {
    const lock = await locked(exampleOf('observability'));
    const uses = (name: string) => imagesIn(lock).find((image) => image.name.endsWith(name))?.uses ?? [];
    expect(uses('elastic-agent/elastic-agent:9.5.2').map(({ component }) => component)).toEqual([
      'elastic-agent',
      'fleet-server',
    ]);
    expect(uses('package-registry/distribution:9.5.2')).toMatchObject([{ needsSpecImage: true }]);
    expect(lock.files.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['x86_64', 'arm64'].map((machine) => `eck-diagnostics_1.11.0_Linux_${machine}.tar.gz`)),
    );
    expect(namesIn(lock)).toContain('eck-dev/support-diagnostics:9.3.1');
  });

  test('with UBI the operator comes in both builds, and what the own manifest names comes along', async () => {
    const names = namesIn(await locked(exampleOf('security')));
    expect(names).toEqual(
      expect.arrayContaining([
        'eck/eck-operator:3.5.0',
        'eck/eck-operator-ubi:3.5.0',
        'kibana/kibana:9.5.2',
        'package-registry/distribution:9.5.2-ubi',
        OWN_IMAGE,
      ]),
    );
  });

  test('Iron Bank has all but the package registry', async () => {
    const lock = await locked(exampleOf('iron-bank'));
    const own = imagesIn(lock).filter(({ from }) => from === undefined);
    expect(own.map(({ name }) => name)).toEqual(['docker.elastic.co/package-registry/distribution:lite-9.5.2']);
  });

  test('an upgrade has both versions and one package registry', async () => {
    const names = namesIn(await locked(exampleOf('upgrade')));
    for (const name of ['elasticsearch/elasticsearch', 'kibana/kibana'])
      expect(names).toEqual(expect.arrayContaining([`${name}:8.19.20`, `${name}:9.5.2`]));
    expect(names.filter((name) => name.startsWith('package-registry/'))).toEqual([
      'package-registry/distribution:lite-9.5.2',
    ]);
  });
});
