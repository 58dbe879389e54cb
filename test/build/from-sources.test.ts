// Which reference an image is taken from, as a table of sources and names.
import { describe, expect, test } from 'vitest';
import { fromSources } from '../../src/build/from-sources.ts';
import { wantedBySpec } from '../../src/build/wanted-by-spec.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { thrown } from '../support/thrown.ts';

const HEAD = { apiVersion: 'eck-airgap/v1', kind: 'BundleSpec', metadata: { name: 'site' } };
const IRON_BANK = { registry: 'registry1.dso.mil', layout: 'iron-bank' };
const DIGEST = `sha256:${'a'.repeat(64)}`;

function taken(asked: object) {
  const spec = parseSpec(JSON.stringify({ ...HEAD, ...asked }), 'airgap.yaml');
  return fromSources(wantedBySpec(spec, {}).images, spec.sources);
}

describe('the layout prefix', () => {
  test.each<[string, Record<string, string>, string, string | undefined]>([
    ['no source', {}, 'a.example/b/c:1', undefined],
    ['a host', { 'a.example': 'h.example' }, 'a.example/b/c:1', 'h.example/b/c:1'],
    ['a path in front', { 'a.example': 'h.example:5000/x/y' }, 'a.example/b/c:1', 'h.example:5000/x/y/b/c:1'],
    ['another host', { 'a.example': 'h.example' }, 'a.example.org/b/c:1', undefined],
    ['another port', { 'a.example': 'h.example' }, 'a.example:5000/b/c:1', undefined],
    ['a path of the name', { 'a.example/b': 'h.example' }, 'a.example/b/c:1', 'h.example/b/c:1'],
    ['a whole name', { 'a.example/b/c': 'h.example' }, 'a.example/b/c:1', 'h.example/b/c:1'],
    ['half a component', { 'a.example/b': 'h.example' }, 'a.example/bb/c:1', undefined],
    ['the longest', { 'a.example': 'h.example', 'a.example/b': 'l.example/m' }, 'a.example/b/c:1', 'l.example/m/b/c:1'],
    ['the origin itself', { 'a.example': 'h.example', 'a.example/b': 'a.example' }, 'a.example/b/c:1', undefined],
    ['a digest', { 'a.example': 'h.example' }, `a.example/b:1@${DIGEST}`, `h.example/b:1@${DIGEST}`],
    ['a short name', { 'docker.io': 'h.example' }, 'nginx:1', 'h.example/library/nginx:1'],
  ])('%s', (_what, sources, name, from) => {
    const entries = Object.entries(sources).map(([key, registry]) => [key, { registry }] as const);
    expect(taken({ images: [name], sources: Object.fromEntries(entries) }).map((image) => image.from)).toEqual([from]);
  });
});

describe('Iron Bank', () => {
  const elastic = {
    eck: '3.5.0',
    stack: ['9.5.2', '8.19.20'],
    components: ['elasticsearch', 'apm-server', 'elastic-agent', 'fleet-server'],
    monitoring: false,
  };
  const pairs = (asked: object) =>
    Object.fromEntries(taken(asked).map(({ name, from }) => [name.replace('docker.elastic.co/', ''), from]));

  test('has its own paths, and the bundle the names that ECK expects', () => {
    expect(pairs({ elastic, sources: { 'docker.elastic.co': IRON_BANK } })).toEqual({
      'apm/apm-server:8.19.20': 'registry1.dso.mil/ironbank/elastic/apm-server/apm-server:8.19.20',
      'apm/apm-server:9.5.2': 'registry1.dso.mil/ironbank/elastic/apm-server/apm-server:9.5.2',
      'beats/elastic-agent:8.19.20': 'registry1.dso.mil/ironbank/elastic/beats/elastic-agent:8.19.20',
      'eck/eck-operator:3.5.0': 'registry1.dso.mil/ironbank/elastic/eck-operator/eck-operator:3.5.0',
      'elastic-agent/elastic-agent:9.5.2': 'registry1.dso.mil/ironbank/elastic/beats/elastic-agent:9.5.2',
      'elasticsearch/elasticsearch:8.19.20': 'registry1.dso.mil/ironbank/elastic/elasticsearch/elasticsearch:8.19.20',
      'elasticsearch/elasticsearch:9.5.2': 'registry1.dso.mil/ironbank/elastic/elasticsearch/elasticsearch:9.5.2',
    });
  });

  test('is asked for the digest that airgap.yaml names', () => {
    const images = [`docker.elastic.co/elasticsearch/elasticsearch:9.5.2@${DIGEST}`];
    const from = pairs({ elastic, images, sources: { 'docker.elastic.co': IRON_BANK } });
    expect(from['elasticsearch/elasticsearch:9.5.2']).toBe(
      `registry1.dso.mil/ironbank/elastic/elasticsearch/elasticsearch:9.5.2@${DIGEST}`,
    );
  });

  test('stands in for UBI names too, and can be behind a proxy-cache', () => {
    const ubi = { eck: '3.5.0', stack: ['8.19.20'], components: ['kibana'], monitoring: false, flavour: 'ubi' };
    const cache = { registry: 'harbor.example/registry1', layout: 'iron-bank' };
    expect(pairs({ elastic: ubi, sources: { 'docker.elastic.co': cache } })['kibana/kibana-ubi:8.19.20']).toBe(
      'harbor.example/registry1/ironbank/elastic/kibana/kibana:8.19.20',
    );
  });

  test('what it does not have is refused, all of it at once, with what to write', () => {
    const more = { ...elastic, stack: ['9.5.2'], components: ['kibana', 'package-registry', 'maps-server'] };
    const error = thrown(() => taken({ elastic: more, sources: { 'docker.elastic.co': IRON_BANK } }));
    expect([error.code, error.exitStatus]).toEqual(['CONTENT_MISSING', 4]);
    expect(error.message).toContain('package-registry/distribution:lite-9.5.2 (package-registry 9.5.2)');
    expect(error.message).toContain('elastic-maps-server:9.5.2 (maps-server 9.5.2)');
    expect(error.message).not.toContain('kibana');
    expect(error.hint).toContain('"docker.elastic.co/package-registry/distribution": { registry: docker.elastic.co }');
  });

  test('what it does not have can come from elsewhere', () => {
    const more = { ...elastic, stack: ['9.5.2'], components: ['kibana', 'package-registry'] };
    const sources = {
      'docker.elastic.co': IRON_BANK,
      'docker.elastic.co/package-registry': { registry: 'docker.elastic.co' },
    };
    const found = pairs({ elastic: more, sources });
    expect(found['package-registry/distribution:lite-9.5.2']).toBeUndefined();
    expect(found['kibana/kibana:9.5.2']).toMatch(/^registry1/);
  });

  test.each(['wolfi', 'fips', 'ubi-fips'])('has no images of the flavour %s', (flavour) => {
    const asked = { elastic: { ...elastic, flavour }, sources: { 'docker.elastic.co': IRON_BANK } };
    const error = thrown(() => taken(asked));
    expect(error.code).toBe('CONTENT_MISSING');
    expect(error.hint).toContain('flavours default and ubi');
  });

  test('has no names for images that are named one by one', () => {
    const images = ['docker.elastic.co/kibana/kibana:9.5.2'];
    const error = thrown(() => taken({ images, sources: { 'docker.elastic.co': IRON_BANK } }));
    expect(error.hint).toContain('"elastic"');
  });

  test('is for linux/amd64 alone', () => {
    const sources = { 'docker.elastic.co': IRON_BANK };
    const error = thrown(() => taken({ elastic, sources, platforms: ['linux/amd64', 'linux/arm64'] }));
    expect(error.code).toBe('PLATFORM_MISSING');
    expect(error.message).toContain('linux/arm64');
    expect(taken({ elastic, sources, platforms: 'all' })).toHaveLength(7);
  });
});
