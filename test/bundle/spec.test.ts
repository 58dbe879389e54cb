import { describe, expect, test } from 'vitest';
import { parseLock } from '../../src/bundle/lock.ts';
import { parseSpec, specDigest } from '../../src/bundle/spec.ts';
import { thrown } from '../support/thrown.ts';

const SPEC = `apiVersion: eck-airgap/v1
kind: BundleSpec
metadata: { name: site-alpha }
platforms: [linux/amd64]
images: [ "docker.elastic.co/elasticsearch/elasticsearch:9.5.2" ]
mirrors: { docker.elastic.co: "http://127.0.0.1:5000" }
`;

function faultsOf(text: string): readonly string[] {
  const error = thrown(() => parseSpec(text, 'airgap.yaml'));
  expect(error.code).toBe('CONFIG_INVALID');
  return ((error.details['faults'] ?? [error.message]) as string[]).map((fault) =>
    fault.replace(/^line [0-9]+, column [0-9]+: /, ''),
  );
}

describe('airgap.yaml', () => {
  test('is read as documented', () => {
    expect(parseSpec(SPEC, 'airgap.yaml')).toEqual({
      apiVersion: 'eck-airgap/v1',
      kind: 'BundleSpec',
      metadata: { name: 'site-alpha' },
      platforms: ['linux/amd64'],
      images: ['docker.elastic.co/elasticsearch/elasticsearch:9.5.2'],
      files: [],
      charts: [],
      sources: {},
      signatures: {},
      mirrors: { 'docker.elastic.co': 'http://127.0.0.1:5000' },
    });
  });

  test('takes linux/amd64 where no platform is named, and all platforms by "all"', () => {
    expect(parseSpec(SPEC.replace(/platforms.*\n/, ''), 'a').platforms).toEqual(['linux/amd64']);
    expect(parseSpec(SPEC.replace('[linux/amd64]', 'all'), 'a').platforms).toBe('all');
  });

  test('writes out short names and takes an image named twice once', () => {
    const spec = parseSpec(SPEC.replace('images: [', 'images: [ nginx, docker.io/library/nginx:latest,'), 'a');
    expect(spec.images).toEqual([
      'docker.elastic.co/elasticsearch/elasticsearch:9.5.2',
      'docker.io/library/nginx:latest',
    ]);
  });

  test.each([
    ['an unknown key', SPEC.replace('images:', 'imges: []\nimages:'), /^imges: unknown key; did you mean "images"\?$/],
    [
      'an unknown key inside',
      SPEC.replace('{ name:', '{ nme: x, name:'),
      /^metadata\.nme: unknown key; did you mean "name"\?$/,
    ],
    ['a missing key', SPEC.replace(/metadata.*\n/, ''), /^metadata: expected .*, found nothing$/],
    [
      'nothing asked for',
      SPEC.replace(/images.*\n/, ''),
      /^document: expected "elastic", "images" or "charts", found none of them$/,
    ],
    [
      'a version that YAML took for a number',
      `${SPEC}elastic: { eck: 3.5 }\n`,
      /^elastic\.eck: expected text, found the number 3\.5 \(YAML takes it for a number; .*: 3\.5\.0\)$/,
    ],
    ['a version that is none', `${SPEC}elastic: { eck: v3.5.0 }\n`, /^elastic\.eck: "v3\.5\.0" is not major/],
    ['no ECK', `${SPEC}elastic: { stack: [9.5.2] }\n`, /^elastic\.eck: expected .*, found nothing$/],
    [
      'an unknown key of elastic',
      `${SPEC}elastic: { eck: 3.5.0, flavor: ubi }\n`,
      /^elastic\.flavor: unknown key; did you mean "flavour"\?$/,
    ],
    [
      'an unknown flavour',
      `${SPEC}elastic: { eck: 3.5.0, flavour: alpine }\n`,
      /^elastic\.flavour: expected .*, found "alpine"$/,
    ],
    [
      'an unknown key of a component',
      `${SPEC}elastic: { eck: 3.5.0, components: [{ name: kibana, tag: 1 }] }\n`,
      /^elastic\.components\[0\]\.tag: unknown key$/,
    ],
    [
      'a platform without architecture',
      SPEC.replace('linux/amd64', 'linux'),
      /^platforms\[0\]: not a platform: "linux"/,
    ],
    [
      'a reference that is none',
      SPEC.replace('elasticsearch:9.5.2', 'Elasticsearch:9.5.2'),
      /^images\[0\]: .*lower case$/,
    ],
    ['a reference without tag', SPEC.replace(':9.5.2', `@sha256:${'a'.repeat(64)}`), /^images\[0\]: needs a tag/],
    ['a name that is a path', SPEC.replace('site-alpha', '../alpha'), /^metadata\.name: "\.\.\/alpha"/],
    ['another version', SPEC.replace('v1', 'v2'), /^apiVersion: expected "eck-airgap\/v1", found "eck-airgap\/v2"$/],
    [
      'a mirror with credentials',
      SPEC.replace('http://', 'http://user:secret@'),
      /^mirrors\.docker\.elastic\.co: "http:\/\/\*\*\*@127/,
    ],
    [
      'a source with a password',
      `${SPEC}sources: { docker.elastic.co: { registry: "user:secret@r.example" } }\n`,
      /^sources\.docker\.elastic\.co\.registry: "\*\*\*@r\.example" is not host/,
    ],
    [
      'a source with a URL',
      `${SPEC}sources: { docker.elastic.co: { registry: "https://r.example" } }\n`,
      /^sources\.docker\.elastic\.co\.registry: .* is not host/,
    ],
    [
      'a source for what is no name',
      `${SPEC}sources: { docker.elastic.co/: { registry: r.example } }\n`,
      /^sources\.docker\.elastic\.co\/: .* is not host/,
    ],
    [
      'an unknown layout',
      `${SPEC}sources: { docker.elastic.co: { registry: r.example, layout: gold } }\n`,
      /^sources\.docker\.elastic\.co\.layout: expected .*, found "gold"$/,
    ],
    [
      'an unknown key of a source',
      `${SPEC}sources: { docker.elastic.co: { registry: r.example, password: x } }\n`,
      /^sources\.docker\.elastic\.co\.password: unknown key$/,
    ],
    ['no images', SPEC.replace(/images.*\n/, 'images: []\n'), /^document: expected "elastic", "images" or "charts"/],
  ])('%s is named by path, expected and found', (_case, text, fault) => {
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });

  test('may ask for what the catalogue knows, without naming images', () => {
    const elastic = `elastic:
  eck: 3.5.0
  stack: [9.5.2, 8.19.20]
  components: [elasticsearch, { name: filebeat, version: 8.19.20 }]
  flavour: ubi
  packageRegistry: full
  monitoring: false
  diagnostics: true
  catalogue: my-catalogue.yaml
`;
    const spec = parseSpec(SPEC.replace(/images.*\n/, elastic), 'a');
    expect(spec.images).toEqual([]);
    expect(spec.elastic).toEqual({
      eck: '3.5.0',
      stack: ['9.5.2', '8.19.20'],
      components: ['elasticsearch', { name: 'filebeat', version: '8.19.20' }],
      flavour: 'ubi',
      packageRegistry: 'full',
      monitoring: false,
      diagnostics: true,
      catalogue: 'my-catalogue.yaml',
    });
  });

  test('all faults are named at once', () => {
    expect(faultsOf(SPEC.replace('v1', 'v2').replace('site-alpha', 'x/y'))).toHaveLength(2);
  });

  test.each([
    ['duplicate keys', `${SPEC}kind: Other\n`],
    ['broken YAML', SPEC.replace('[linux/amd64]', '[linux/amd64')],
    ['a list', '- 1\n'],
    ['nothing', ''],
  ])('%s is refused', (_case, text) => {
    expect(faultsOf(text)).not.toHaveLength(0);
  });

  test.each([
    ['license for licence', `${SPEC}elastic: { eck: 3.5.0, license: l.json }\n`, 'licence'],
    ['a component for components', `${SPEC}elastic: { eck: 3.5.0, component: [kibana] }\n`, 'components'],
    ['a flavour that is mistyped', `${SPEC}elastic: { eck: 3.5.0, flavour: wolfie }\n`, 'wolfi'],
    ['a key of a chart', `${SPEC}charts: [{ repo: "https://c.example", nam: a, version: 1.0.0 }]\n`, 'name'],
  ])('%s gets the word that was meant', (_case, text, word) => {
    expect(faultsOf(text).join('; ')).toContain(`did you mean "${word}"?`);
  });

  test('every fault has its line and column, in the order of the text', () => {
    const text =
      SPEC.replace('site-alpha', 'x/y').replace('[linux/amd64]', '\n  - linux\n  -   solaris/') + 'extra: 1\n';
    const { details, message } = thrown(() => parseSpec(text, 'airgap.yaml'));
    const places = (details['faults'] as string[]).map((fault) =>
      /^line ([0-9]+), column ([0-9]+): /.exec(fault)?.slice(1),
    );
    expect(places).toEqual([
      ['3', '19'],
      ['5', '5'],
      ['6', '7'],
      ['9', '1'],
    ]);
    expect(message).toContain('airgap.yaml is not valid: line 3, column 19: metadata.name');
  });

  test.each([
    [
      'a number for a name',
      SPEC.replace('site-alpha', '42'),
      /expected text, found the number 42; write "42", in quotes$/,
    ],
    ['text for a list', SPEC.replace(/images.*\n/, 'images: nginx\n'), /^images: expected a list, found "nginx"$/],
    [
      'a list for keys',
      SPEC.replace(/mirrors.*\n/, 'mirrors: []\n'),
      /^mirrors: expected keys with values, found a list$/,
    ],
    ['nothing after a key', SPEC.replace(/images.*\n/, 'images:\n'), /^images: expected a list, found nothing$/],
    [
      'text for yes or no',
      `${SPEC}elastic: { eck: 3.5.0, monitoring: maybe }\n`,
      /expected true or false, found "maybe"$/,
    ],
    [
      'a chart in a registry',
      `${SPEC}charts: [{ repository: "oci://r.example/c", name: a, version: 1.0.0 }]\n`,
      /under "images"/,
    ],
  ])('%s is said in words', (_case, text, fault) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(fault)]);
  });

  test('a lock in its place is called one, and the other way round', () => {
    const lock = thrown(() => parseSpec(SPEC.replace('BundleSpec', 'Lock'), 'airgap.lock.yaml'));
    expect([lock.code, lock.details]).toMatchObject(['CONFIG_INVALID', { found: 'Lock' }]);
    expect(lock.hint).toContain('airgap.yaml');
    const spec = thrown(() => parseLock(SPEC, 'airgap.yaml'));
    expect([spec.code, spec.details]).toMatchObject(['CONFIG_INVALID', { found: 'BundleSpec' }]);
    expect(spec.hint).toContain('airgap.lock.yaml');
  });

  test('diagnostics may be refused in so many words', () => {
    expect(parseSpec(`${SPEC}elastic: { eck: 3.5.0, diagnostics: false }\n`, 'a').elastic?.diagnostics).toBe(false);
  });

  test.each([
    ['aliases that stand for too much', `a: &a [${'x,'.repeat(1000)}]\nb: [${'*a,'.repeat(100_000)}]\n`],
    [
      'aliases of aliases',
      [...Array(40).keys()]
        .map((i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`)
        .join('\n')
        .replaceAll('*a0', 'x'),
    ],
    ['more nodes than any specification has', `a: [${'[],'.repeat(600_000)}]`],
    ['more depth than any specification has', '['.repeat(100_000)],
    ['more than sixteen MiB', ' '.repeat(17 * 1024 * 1024)],
  ])('%s is refused before anybody walks it', (_case, text) => {
    const { code, message } = thrown(() => parseSpec(text, 'airgap.yaml'));
    expect([code, message]).toEqual(['CONFIG_INVALID', expect.stringMatching(/is too large|nest/i)]);
  });

  test('aliases that stand for little are taken', () => {
    const text = SPEC.replace('[ "docker', '[ &one "docker')
      .replace('images', 'platforms: [linux/amd64]\nimages')
      .replace(/platforms: \[linux\/amd64\]\n/, '');
    expect(
      parseSpec(`${text}signatures: { docker.elastic.co: &none none, docker.io: *none }\n`, 'a').signatures,
    ).toEqual({
      'docker.elastic.co': 'none',
      'docker.io': 'none',
    });
  });

  test('its digest covers what is asked for, not where it is fetched from', () => {
    const digest = specDigest(parseSpec(SPEC, 'a'));
    expect(specDigest(parseSpec(SPEC.replace('127.0.0.1:5000', 'mirror.example'), 'a'))).toBe(digest);
    const source = (registry: string) => `${SPEC}sources: { docker.elastic.co: { registry: ${registry} } }\n`;
    const sourced = specDigest(parseSpec(source('r.example'), 'a'));
    expect(sourced).not.toBe(digest);
    expect(specDigest(parseSpec(source('r2.example'), 'a'))).not.toBe(sourced);
    expect(specDigest(parseSpec(`${SPEC}sources: {}\n`, 'a'))).toBe(digest);
    expect(specDigest(parseSpec(SPEC.replace('9.5.2', '9.5.3'), 'a'))).not.toBe(digest);
    expect(specDigest(parseSpec(SPEC.replace('amd64', 'arm64'), 'a'))).not.toBe(digest);
    const elastic = specDigest(parseSpec(`${SPEC}elastic: { eck: 3.5.0 }\n`, 'a'));
    expect(elastic).not.toBe(digest);
    expect(specDigest(parseSpec(`${SPEC}elastic: { eck: 3.4.1 }\n`, 'a'))).not.toBe(elastic);
    expect(specDigest(parseSpec(`${SPEC}elastic: { eck: 3.5.0 }\n`, 'a'), { catalogue: 'kind: Catalogue' })).not.toBe(
      elastic,
    );
  });
});
