import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import { closure, missingFrom, type DeployedResource } from '../../src/catalog/closure.ts';
import { flavourRules, flavours, type Flavour } from '../../src/catalog/components.ts';
import type { PackageRegistryMode } from '../../src/catalog/published.ts';
import { selectImages, type Selected, type Selection } from '../../src/catalog/select.ts';
import type { WantedImage } from '../../src/catalog/wanted.ts';
import { isAirgapError } from '../../src/core/errors.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { thrown } from '../support/thrown.ts';

const REGISTRY = 'docker.elastic.co/';

function select(names: readonly string[], more: Partial<Selection> = {}): Selected {
  const components = names.map((name) => ({ name }));
  return selectImages({ eckVersion: '3.5.0', stackVersions: ['9.5.2'], monitoring: false, components, ...more });
}

function namesOf(selected: Selected): string[] {
  return selected.images.map(({ name }) => name.slice(REGISTRY.length));
}

function only(selected: Selected, component: string): WantedImage {
  const found = selected.images.filter(({ uses }) => uses.some((use) => use.component === component));
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('a choice of components', () => {
  test('brings the operator, and each component in each version of the Stack', () => {
    expect(namesOf(select(['elasticsearch', 'elastic-agent'], { stackVersions: ['8.19.20', '9.5.2'] }))).toEqual([
      'beats/elastic-agent:8.19.20',
      'eck/eck-operator:3.5.0',
      'elastic-agent/elastic-agent:9.5.2',
      'elasticsearch/elasticsearch:8.19.20',
      'elasticsearch/elasticsearch:9.5.2',
    ]);
  });

  test.each([
    ['default', '9.5.2', ['eck/eck-operator', 'elasticsearch/elasticsearch']],
    ['ubi', '9.5.2', ['eck/eck-operator-ubi', 'elasticsearch/elasticsearch']],
    ['ubi', '8.19.20', ['eck/eck-operator-ubi', 'elasticsearch/elasticsearch-ubi']],
    ['ubi', '8.11.4', ['eck/eck-operator-ubi', 'elasticsearch/elasticsearch-ubi8']],
    ['wolfi', '8.16.0', ['eck/eck-operator', 'elasticsearch/elasticsearch-wolfi']],
    ['fips', '9.5.2', ['eck/eck-operator-fips', 'elasticsearch/elasticsearch']],
    ['ubi-fips', '8.19.20', ['eck/eck-operator-ubi-fips', 'elasticsearch/elasticsearch-ubi']],
  ] as const)('in the flavour %s of %s is named so', (flavour, version, repositories) => {
    const selected = select(['elasticsearch'], { flavour, stackVersions: [version] });
    expect(selected.images.map(({ name }) => parseReference(name).repository)).toEqual(repositories);
  });

  test.each([
    ['apm-server', '8.15.0'],
    ['logstash', '8.15.0'],
    ['elasticsearch', '8.16.0'],
    ['elastic-agent', '8.16.0'],
    ['heartbeat', '8.16.0'],
  ])('of %s has Wolfi images from %s on, and is refused before', (name, first) => {
    const before = first.replace(/[0-9]+\.0$/, (rest) => `${Number(rest.split('.')[0]) - 1}.9`);
    const wolfi = (version: string) => select([name], { flavour: 'wolfi', stackVersions: [version] });
    expect(namesOf(wolfi(first)).filter((image) => image.endsWith(`-wolfi:${first}`))).toHaveLength(1);
    expect(thrown(() => wolfi(before)).code).toBe('VERSION_UNSUPPORTED');
  });

  test('is the same value whatever its order', () => {
    const all = ['kibana', 'elasticsearch', 'logstash', 'fleet-server', 'elastic-agent'];
    const monitoring = true;
    expect(select([...all].reverse(), { monitoring })).toEqual(select(all, { monitoring }));
  });

  test('may name a version of a component alone', () => {
    const components = [
      { name: 'filebeat', version: '8.19.20' },
      { name: 'elasticsearch' },
      { name: 'eland', version: '9.0.1' },
    ];
    expect(
      namesOf(selectImages({ eckVersion: '3.5.0', stackVersions: ['9.5.2'], monitoring: false, components })),
    ).toEqual([
      'beats/filebeat:8.19.20',
      'eck/eck-operator:3.5.0',
      'eland/eland:9.0.1',
      'elasticsearch/elasticsearch:9.5.2',
    ]);
  });
});

describe('what comes without being named', () => {
  test('are both sidecars of Stack monitoring, in the version of what they watch', () => {
    const selected = select(['elasticsearch', 'kibana'], { monitoring: true });
    expect(only(selected, 'metricbeat').name).toBe(`${REGISTRY}beats/metricbeat:9.5.2`);
    const use = { component: 'filebeat', version: '9.5.2' };
    expect(only(selected, 'filebeat').uses).toEqual([
      { ...use, why: 'Stack monitoring of Elasticsearch runs it as a sidecar' },
      { ...use, why: 'Stack monitoring of Kibana runs it as a sidecar' },
    ]);
  });

  test.each(['apm-server', 'maps-server', 'elastic-agent', 'package-registry'])('%s has no sidecars', (name) => {
    expect(select([name], { monitoring: true }).images).toHaveLength(2);
  });

  test('are no sidecars where the version cannot be monitored, or monitoring is not wanted', () => {
    const older = (version: string) =>
      select(['kibana'], { eckVersion: '2.16.1', stackVersions: [version], monitoring: true }).images;
    expect(older('7.13.4')).toHaveLength(2);
    expect(older('7.14.0')).toHaveLength(4);
    expect(select(['kibana']).images).toHaveLength(2);
  });

  test('is the image that runs both Elastic Agent and Fleet Server, once', () => {
    const selected = select(['elastic-agent', 'fleet-server']);
    expect(namesOf(selected)).toEqual(['eck/eck-operator:3.5.0', 'elastic-agent/elastic-agent:9.5.2']);
    expect(selected.images[1]?.uses.map(({ component }) => component)).toEqual(['elastic-agent', 'fleet-server']);
  });

  test('are both repositories of support diagnostics, matched to the program', () => {
    const of = (eckDiagnostics: string) => namesOf(select([], { eckDiagnostics })).slice(1);
    expect(of('1.11.0')).toEqual(['eck/eck-operator:3.5.0', 'support/diagnostics:9.4.1']);
    expect(namesOf(select([], { eckDiagnostics: '1.11.0' }))[0]).toBe('eck-dev/support-diagnostics:9.3.1');
    const versions = ['1.3.0', '1.5.1', '1.5.2', '1.6.0', '1.8.1', '1.8.2', '1.8.3', '1.11.0', '2.0.0'];
    expect(versions.map((version) => namesOf(select([], { eckDiagnostics: version }))[0]?.split(':')[1])).toEqual([
      '8.4.0',
      '8.4.0',
      '8.4.3',
      '8.5.0',
      '8.5.0',
      '9.1.0',
      '9.3.1',
      '9.3.1',
      '9.3.1',
    ]);
    expect(thrown(() => select([], { eckDiagnostics: '1.2.0' })).code).toBe('VERSION_UNSUPPORTED');
  });
});

describe('the package registry', () => {
  test.each([
    ['9.5.2', 'default', 'lite', { tag: 'lite-9.5.2' }],
    ['9.5.2', 'default', 'full', { tag: '9.5.2', needsSpecImage: true }],
    ['8.14.0', 'default', 'lite', { tag: 'lite-8.15.1' }],
    ['8.14.0', 'default', 'full', { tag: '8.14.0', needsSpecImage: true }],
    ['9.1.0', 'ubi', 'lite', { tag: 'lite-9.1.8-ubi' }],
    ['9.1.0', 'ubi', 'full', { tag: '9.1.8-ubi', needsSpecImage: true }],
    ['9.5.2', 'ubi', 'lite', { tag: 'lite-9.5.2-ubi' }],
    ['9.5.2', 'wolfi', 'lite', { tag: 'lite-9.5.2', needsSpecImage: true }],
  ] as const)('%s %s %s is %o', (version, flavour, packageRegistry, { tag, ...expected }) => {
    const more = { stackVersions: [version], flavour, packageRegistry };
    const image = only(select(['package-registry'], more), 'package-registry');
    expect(image.name).toBe(`${REGISTRY}package-registry/distribution:${tag}`);
    const why = tag.includes(version) ? 'chosen' : `chosen; it stands in for ${version}`;
    expect(image.uses).toEqual([{ component: 'package-registry', version, why, ...expected }]);
  });

  test('of one tag can serve several versions', () => {
    const selected = select(['package-registry'], {
      stackVersions: ['8.15.1', '8.14.0'],
      packageRegistry: 'lite',
      flavour: 'default',
    });
    expect(only(selected, 'package-registry').uses.map(({ version }) => version)).toEqual(['8.14.0', '8.15.1']);
  });

  test('comes to an ECK that does not manage it with a note', () => {
    const selected = select(['package-registry'], { eckVersion: '3.2.0' });
    expect(only(selected, 'package-registry').uses[0]?.needsSpecImage).toBeUndefined();
    expect(selected.notes.join()).toContain('run it as a Deployment');
  });

  test('is missed where Fleet is chosen without it', () => {
    expect(select(['fleet-server']).notes.join()).toContain('package-registry');
    expect(select(['fleet-server', 'package-registry']).notes).toEqual([]);
  });
});

describe('platforms', () => {
  const both = { platforms: ['linux/amd64', 'linux/arm64'] };

  test('are those that an image has: Maps Server before 8.16 is amd64 alone', () => {
    const maps = (version: string) =>
      only(select(['maps-server'], { ...both, stackVersions: [version] }), 'maps-server');
    expect(maps('8.15.5').platforms).toEqual(['linux/amd64']);
    expect(maps('8.16.0').platforms).toEqual(both.platforms);
  });

  test('that an image lacks altogether are refused by its name', () => {
    const error = thrown(() => select(['maps-server'], { platforms: ['linux/arm64'], stackVersions: ['8.15.5'] }));
    expect(error.code).toBe('PLATFORM_MISSING');
    expect(error.message).toContain('maps-server 8.15.5');
  });

  test('stay "all" where all are wanted', () => {
    expect(select(['kibana'], { platforms: 'all' }).images.map(({ platforms }) => platforms)).toEqual(['all', 'all']);
  });
});

describe('refused is', () => {
  test.each([
    ['a component that does not exist', ['elasticserch'], {}, 'COMPONENT_UNKNOWN'],
    ['a Stack that the ECK does not run', ['elasticsearch'], { eckVersion: '2.16.1' }, 'VERSION_UNSUPPORTED'],
    ['a component that its Stack does not have', ['enterprise-search'], {}, 'VERSION_UNSUPPORTED'],
    ['an image before it existed', ['otel-collector'], { stackVersions: ['8.19.20'] }, 'VERSION_UNSUPPORTED'],
    ['a Stack newer than the tables', ['kibana'], { stackVersions: ['9.6.0'] }, 'VERSION_UNKNOWN'],
    ['an ECK newer than the tables', ['kibana'], { eckVersion: '3.6.0' }, 'VERSION_UNKNOWN'],
    ['a flavour before it existed', ['kibana'], { flavour: 'wolfi', stackVersions: ['8.15.5'] }, 'VERSION_UNSUPPORTED'],
    ['a version that is none', ['kibana'], { stackVersions: ['latest'] }, 'VERSION_INVALID'],
    ['no version at all', ['kibana'], { stackVersions: [] }, 'VERSION_INVALID'],
    ['no version of one that counts on its own', ['eland'], {}, 'VERSION_INVALID'],
  ] as const)('%s', (_, names, more, code) => {
    expect(thrown(() => select(names, more)).code).toBe(code);
  });

  test('nothing of this, where unknown versions are allowed', () => {
    const selected = select(['kibana', 'elastic-agent'], {
      eckVersion: '4.0.0',
      stackVersions: ['10.1.0'],
      allowUnknownVersion: true,
    });
    expect(namesOf(selected)).toEqual([
      'eck/eck-operator:4.0.0',
      'elastic-agent/elastic-agent:10.1.0',
      'kibana/kibana:10.1.0',
    ]);
  });
});

describe('Iron Bank', () => {
  test('has paths of its own', () => {
    const selected = select(['apm-server', 'elastic-agent', 'maps-server', 'heartbeat']);
    const paths = Object.fromEntries(selected.images.map(({ uses, ironBank }) => [uses[0]?.component ?? '', ironBank]));
    expect(paths).toEqual({
      'eck-operator': 'registry1.dso.mil/ironbank/elastic/eck-operator/eck-operator:3.5.0',
      'apm-server': 'registry1.dso.mil/ironbank/elastic/apm-server/apm-server:9.5.2',
      'elastic-agent': 'registry1.dso.mil/ironbank/elastic/beats/elastic-agent:9.5.2',
      heartbeat: 'registry1.dso.mil/ironbank/elastic/beats/heartbeat:9.5.2',
      'maps-server': undefined,
    });
  });
});

const resources = builtInCatalogue.components.filter(({ resource }) => resource !== undefined).map(({ name }) => name);

const selection = fc.record({
  eckVersion: fc.constantFrom('2.16.1', '3.0.0', '3.2.0', '3.3.2', '3.5.0'),
  stackVersions: fc.uniqueArray(fc.constantFrom('7.17.29', '8.11.4', '8.15.5', '8.19.3', '8.19.20', '9.1.0', '9.5.2'), {
    minLength: 1,
    maxLength: 2,
  }),
  flavour: fc.constantFrom<Flavour>(...flavours),
  packageRegistry: fc.constantFrom<PackageRegistryMode>('full', 'lite'),
  components: fc.uniqueArray(fc.constantFrom(...resources), { minLength: 1, maxLength: 4 }),
});

describe('the closure', () => {
  test('of what is chosen is among what is selected, for every choice that is not refused', () => {
    let proved = 0;
    fc.assert(
      fc.property(selection, ({ components, ...rest }) => {
        let selected: Selected;
        try {
          selected = selectImages({ ...rest, components: components.map((name) => ({ name })) });
        } catch (error) {
          expect(isAirgapError(error, 'VERSION_UNSUPPORTED')).toBe(true);
          return;
        }
        const { settings } = flavourRules[rest.flavour];
        const deployed = components.flatMap((component) =>
          rest.stackVersions.map((version) => deployedAs(component, version, selected)),
        );
        const images = closure(deployed, { eckVersion: rest.eckVersion, settings, catalogue: builtInCatalogue });
        expect(missingFrom(new Set(selected.images.map(({ name }) => name)), images)).toEqual([]);
        proved++;
      }),
      { numRuns: 2000 },
    );
    expect(proved).toBeGreaterThan(200);
  });

  /** As a manifest would say it: `.spec.image` where the selection asks for it. */
  function deployedAs(component: string, version: string, selected: Selected): DeployedResource {
    const image = selected.images.find(({ uses }) =>
      uses.some((use) => use.component === component && use.version === version && use.needsSpecImage),
    );
    return { component, version, ...(image === undefined ? {} : { image: image.name }) };
  }

  const options = { eckVersion: '3.5.0', catalogue: builtInCatalogue };
  const namesIn = (settings: object, ...deployed: DeployedResource[]) =>
    closure(deployed, { ...options, settings }).map(({ image }) => image);

  test('holds sidecars that .spec.image does not change', () => {
    const settings = { containerRegistry: 'registry.example' };
    const deployed = { component: 'kibana', version: '9.5.2', image: 'other.example/kibana:mine' };
    expect(namesIn(settings, deployed)).toEqual([
      'other.example/kibana:mine',
      'registry.example/beats/filebeat:9.5.2',
      'registry.example/beats/metricbeat:9.5.2',
    ]);
    expect(namesIn(settings, { ...deployed, monitored: false })).toEqual(['other.example/kibana:mine']);
  });

  test('of a flattened registry still has the package registry at its own path', () => {
    const settings = { containerRegistry: 'registry.example', containerRepository: 'one' };
    expect(
      namesIn(
        settings,
        { component: 'apm-server', version: '9.5.2' },
        { component: 'package-registry', version: '9.5.2' },
      ),
    ).toEqual(['registry.example/one/apm-server:9.5.2', 'registry.example/package-registry/distribution:lite-9.5.2']);
  });

  test('has no part in what ECK does not manage', () => {
    expect(namesIn({}, { component: 'eland', version: '9.0.0' })).toEqual([]);
    const older = { ...options, eckVersion: '3.2.0', settings: {} };
    expect(closure([{ component: 'package-registry', version: '9.0.0' }], older)).toEqual([]);
  });

  test('is told from what is there by name', () => {
    const images = closure([{ component: 'kibana', version: '9.5.2', monitored: false }], { ...options, settings: {} });
    expect(missingFrom(new Set(), images).map(({ image }) => image)).toEqual([`${REGISTRY}kibana/kibana:9.5.2`]);
  });
});
