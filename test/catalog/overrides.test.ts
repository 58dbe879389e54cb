import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import { findComponent, type Catalogue } from '../../src/catalog/components.ts';
import { charts } from '../../src/catalog/files.ts';
import { parseCatalogueFile, withOverrides } from '../../src/catalog/overrides.ts';
import { selectImages, type Selection } from '../../src/catalog/select.ts';
import { thrown } from '../support/thrown.ts';

const HEAD = 'apiVersion: eck-airgap/v1\nkind: Catalogue\n';

function overridden(yaml: string): Catalogue {
  return withOverrides(builtInCatalogue, parseCatalogueFile(HEAD + yaml, 'catalogue.yaml'));
}

function names(catalogue: Catalogue, more: Partial<Selection>): string[] {
  const selection = { eckVersion: '3.5.0', stackVersions: ['9.5.2'], monitoring: false, components: [], ...more };
  return selectImages({ ...selection, catalogue }).images.map(({ name }) => name.replace('docker.elastic.co/', ''));
}

describe('a catalogue file', () => {
  test('that is empty changes nothing', () => {
    expect(overridden('')).toEqual(builtInCatalogue);
  });

  test('adds a component', () => {
    const catalogue = overridden(`
components:
  - { name: my-tool, version: 1.2.3, repositories: [{ repository: tools/my-tool }] }
`);
    expect(names(catalogue, { components: [{ name: 'my-tool' }] })).toEqual([
      'eck/eck-operator:3.5.0',
      'tools/my-tool:1.2.3',
    ]);
  });

  test('changes a key of a component, and leaves its others', () => {
    const catalogue = overridden(
      'components: [{ name: eck-support-diagnostics, platforms: [{ platforms: [linux/amd64] }] }]',
    );
    const before = findComponent(builtInCatalogue, 'eck-support-diagnostics');
    expect(findComponent(catalogue, before.name)).toEqual({ ...before, platforms: [{ platforms: ['linux/amd64'] }] });
  });

  test('gives a component a flavour that this release does not know of', () => {
    const catalogue = overridden(`
components:
  - name: elastic-agent
    suffixes: { fips: [{ versions: { from: 9.1.0 }, suffix: -fips }] }
`);
    const selected = selectImages({
      ...{ eckVersion: '3.5.0', stackVersions: ['9.5.2'], components: [{ name: 'elastic-agent' }] },
      ...{ flavour: 'fips', catalogue },
    });
    const agent = selected.images.find(({ name }) => name.endsWith('elastic-agent/elastic-agent-fips:9.5.2'));
    expect(agent?.uses[0]?.needsSpecImage).toBe(true);
  });

  test('teaches new versions of ECK, the Stack and eck-diagnostics', () => {
    const catalogue = overridden(`
eckReleases:
  - { eck: { from: 3.6.0, until: 3.7.0 }, kubernetes: { from: "1.33", to: "1.37" }, openshift: { from: "4.17", to: "4.23" } }
stackLines: ["9.6"]
diagnostics: [{ eckDiagnostics: { from: 1.12.0 }, supportDiagnostics: 9.4.0 }]
`);
    const more = {
      ...{ eckVersion: '3.6.1', stackVersions: ['9.6.0'], components: [{ name: 'kibana' }], eckDiagnostics: '1.12.0' },
    };
    expect(thrown(() => names(builtInCatalogue, more)).code).toBe('VERSION_UNKNOWN');
    expect(names(catalogue, more)).toEqual([
      'eck-dev/support-diagnostics:9.4.0',
      'eck/eck-operator:3.6.1',
      'kibana/kibana:9.6.0',
      'support/diagnostics:9.4.1',
    ]);
    expect(names(catalogue, { components: [{ name: 'kibana' }], stackVersions: ['8.19.20'] })).toHaveLength(2);
    expect(thrown(() => names(catalogue, { ...more, stackVersions: ['9.7.0'] })).code).toBe('VERSION_UNKNOWN');
  });

  test('may leave a gap: a release in it is unknown, not too old', () => {
    const row =
      '{ eck: { from: 3.7.0 }, kubernetes: { from: "1.33", to: "1.37" }, openshift: { from: "4.17", to: "4.23" } }';
    const catalogue = overridden(`eckReleases: [${row}]`);
    expect(thrown(() => names(catalogue, { eckVersion: '3.6.0' })).code).toBe('VERSION_UNKNOWN');
    expect(names(catalogue, { eckVersion: '3.6.0', allowUnknownVersion: true })).toHaveLength(1);
    expect(names(catalogue, { eckVersion: '4.0.0' })).toHaveLength(1);
  });

  test('pins other keys, written as gpg shows fingerprints', () => {
    const before = builtInCatalogue.signingKeys[0]!;
    const catalogue = overridden(`
signingKeys:
  - { name: ${before.name}, fingerprint: "0123 4567 89ab cdef 0123  4567 89AB CDEF 0123 4567" }
  - { name: other.asc, fingerprint: ${before.fingerprint}, url: "https://keys.example/other.asc" }
`);
    expect(catalogue.signingKeys.filter(({ name }) => name === before.name)).toEqual([
      { name: before.name, fingerprint: '0123456789ABCDEF0123456789ABCDEF01234567' },
    ]);
    expect(catalogue.signingKeys).toContainEqual({
      name: 'other.asc',
      fingerprint: before.fingerprint,
      url: 'https://keys.example/other.asc',
    });
  });

  test('says which chart eck-stack goes with an ECK', () => {
    const { stackCharts } = overridden('stackCharts: { 3.5.0: 0.20.9, 3.6.0: 0.21.0 }');
    expect(stackCharts).toEqual({ ...builtInCatalogue.stackCharts, '3.5.0': '0.20.9', '3.6.0': '0.21.0' });
    expect(charts('3.6.0', stackCharts['3.6.0']).map(({ version }) => version)).toEqual(['3.6.0', '3.6.0', '0.21.0']);
  });

  test('takes the place of a row for a release that is in the tables', () => {
    const row =
      '{ eck: { from: 3.4.0, until: 3.6.0 }, kubernetes: { from: "1.1", to: "1.2" }, openshift: { from: "4.1", to: "4.2" } }';
    expect(overridden(`eckReleases: [${row}]`).eckReleases[0]?.kubernetes).toEqual({ from: '1.1', to: '1.2' });
  });
});

describe('refused, by path, are', () => {
  test.each([
    ['an unknown key', 'component: []', / component: unknown key; did you mean "components"\?$/],
    ['an unknown key inside', 'components: [{ name: a, repo: a/b }]', / components\[0\]\.repo: unknown key$/],
    [
      'an unknown flavour',
      'components: [{ name: a, suffixes: { alpine: [] } }]',
      / components\[0\]\.suffixes\.alpine: unknown key$/,
    ],
    [
      'a version that is none',
      'components: [{ name: a, version: v1 }]',
      / components\[0\]\.version: "v1" is not a version/,
    ],
    [
      'a minor that YAML took for a number',
      'stackLines: [9.10]',
      / stackLines\[0\]: expected text, found the number 9\.1; write "9\.10", in quotes$/,
    ],
    [
      'a repository with a host',
      'components: [{ name: a, repositories: [{ repository: "x.io:80/a" }] }]',
      /repositories\[0\]\.repository: .*without host/,
    ],
    [
      'a suffix that no name can have',
      'components: [{ name: a, suffixes: { ubi: [{ suffix: ":x" }] } }]',
      /suffixes\.ubi\[0\]\.suffix: .*cannot end/,
    ],
    ['rules that are none', 'components: [{ name: a, support: [] }]', / components\[0\]\.support: .*has no rule$/],
    [
      'an image that ECK does not have',
      'components: [{ name: a, resource: { kind: A, apiVersion: b, image: c } }]',
      /resource\.image: .*no image that ECK knows$/,
    ],
    [
      'a part of a fingerprint',
      'signingKeys: [{ name: a, fingerprint: D88E42B4 }]',
      / signingKeys\[0\]\.fingerprint: "D88E42B4" is not a whole/,
    ],
    [
      'a key whose name is a path',
      `signingKeys: [{ name: ../a, fingerprint: ${'A'.repeat(40)} }]`,
      / signingKeys\[0\]\.name: /,
    ],
    [
      'a key with a secret in its address',
      `signingKeys: [{ name: a, fingerprint: ${'A'.repeat(40)}, url: "https://u:p@h.example/a" }]`,
      / signingKeys\[0\]\.url: /,
    ],
    ['a chart without version', 'stackCharts: { 3.5.0: latest }', / stackCharts\.3\.5\.0: "latest" is not a version/],
    [
      'a release without its first version',
      'eckReleases: [{ eck: {}, kubernetes: { from: "1.1", to: "1.2" }, openshift: { from: "4.1", to: "4.2" } }]',
      / eckReleases\[0\]\.eck\.from: expected .*, found nothing$/,
    ],
  ])('%s', (_, yaml, expected) => {
    const error = thrown(() => parseCatalogueFile(HEAD + yaml, 'catalogue.yaml'));
    expect(error.code).toBe('CONFIG_INVALID');
    const faults = error.details['faults'] as readonly string[];
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(expected);
  });

  test('a new component without repository', () => {
    const error = thrown(() => overridden('components: [{ name: my-tool }]'));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain('my-tool');
  });

  test('a file of another kind', () => {
    expect(thrown(() => parseCatalogueFile(HEAD.replace('Catalogue', 'BundleSpec'), 'a')).code).toBe('CONFIG_INVALID');
  });
});
