// The rows are those of ECK's own table (pkg/controller/common/container/container_test.go) at each tag it was released
// with, and some that its table leaves open.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eckImageName, managesImage, type EckImage, type OperatorSettings } from '../../src/catalog/image-name.ts';
import { formatVersion, parseVersion } from '../../src/catalog/version.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { thrown } from '../support/thrown.ts';

const RELEASES = [
  ...['2.16.0', '2.16.1', '3.0.0', '3.1.0', '3.2.0'],
  ...['3.3.0', '3.3.1', '3.3.2', '3.4.0', '3.4.1', '3.5.0'],
] as const;

const HOST = 'my.docker.registry.com:8080';

/** Image, version, `container-suffix`, `container-repository`, what follows the registry. */
type Row = readonly [image: EckImage, version: string, suffix: string, repository: string, expected: string];

const EVERY_RELEASE: readonly Row[] = [
  ['apm-server', '7.5.2', '', '', 'apm/apm-server:7.5.2'],
  ['kibana', '7.5.2', '', '', 'kibana/kibana:7.5.2'],
  ['elasticsearch', '7.5.2', '', '', 'elasticsearch/elasticsearch:7.5.2'],
  ['elasticsearch', '42.0.0', '', 'elastic', 'elastic/elasticsearch:42.0.0'],
  ['elasticsearch', '42.0.0', '-obi1', 'elastic', 'elastic/elasticsearch-obi1:42.0.0'],
  ['elasticsearch', '8.12.0', '-ubi', 'elastic', 'elastic/elasticsearch-ubi:8.12.0'],
  ['elasticsearch', '8.11.0', '-ubi', '', 'elasticsearch/elasticsearch-ubi8:8.11.0'],
  ['elasticsearch', '7.17.16', '-ubi', 'elastic', 'elastic/elasticsearch-ubi:7.17.16'],
  ['elasticsearch', '7.17.15', '-ubi', '', 'elasticsearch/elasticsearch-ubi8:7.17.15'],
  ['maps-server', '7.17.16', '', 'elastic', 'elastic/elastic-maps-server-ubi:7.17.16'],
  ['maps-server', '7.17.15', '', 'elastic', 'elastic/elastic-maps-server-ubi8:7.17.15'],
  ['maps-server', '8.12.0', '-ubi', '', 'elastic-maps-service/elastic-maps-server-ubi:8.12.0'],
  ['maps-server', '8.11.0', '-ubi', '', 'elastic-maps-service/elastic-maps-server-ubi8:8.11.0'],
  ['maps-server', '7.17.16', '-ubi', '', 'elastic-maps-service/elastic-maps-server-ubi:7.17.16'],
  ['maps-server', '7.17.15', '-ubi', '', 'elastic-maps-service/elastic-maps-server-ubi8:7.17.15'],
  ['maps-server', '8.12.0', '-obi1', '', 'elastic-maps-service/elastic-maps-server-ubi-obi1:8.12.0'],
  ['maps-server', '8.11.0', '-obi1', '', 'elastic-maps-service/elastic-maps-server-ubi8-obi1:8.11.0'],
  ['maps-server', '8.16.0', '', '', 'elastic-maps-service/elastic-maps-server:8.16.0'],
  ['maps-server', '8.16.0', '-ubi', '', 'elastic-maps-service/elastic-maps-server-ubi:8.16.0'],
  ['elastic-agent', '8.0.0', '', '', 'beats/elastic-agent:8.0.0'],
  ['maps-server', '8.15.5', '-wolfi', '', 'elastic-maps-service/elastic-maps-server-ubi-wolfi:8.15.5'],
  ['maps-server', '8.16.0-SNAPSHOT', '', '', 'elastic-maps-service/elastic-maps-server:8.16.0-SNAPSHOT'],
  ['heartbeat', '8.19.20', '-wolfi', '', 'beats/heartbeat-wolfi:8.19.20'],
  ['logstash', '8.12.0-SNAPSHOT', '-ubi', '', 'logstash/logstash-ubi:8.12.0-SNAPSHOT'],
];

const BEFORE_3: readonly Row[] = [
  ['apm-server', '9.0.0', '-ubi', '', 'apm/apm-server-ubi:9.0.0'],
  ['elastic-agent', '9.5.0', '', '', 'beats/elastic-agent:9.5.0'],
];

const SINCE_3: readonly Row[] = [
  ['apm-server', '8.99.99', '-ubi', '', 'apm/apm-server-ubi:8.99.99'],
  ['apm-server', '9.0.0', '-ubi', '', 'apm/apm-server:9.0.0'],
  ['elasticsearch', '9.0.0', '-ubi', 'elastic', 'elastic/elasticsearch:9.0.0'],
  ['elastic-agent', '9.5.0', '', '', 'elastic-agent/elastic-agent:9.5.0'],
  ['elastic-agent', '9.5.0', '', 'elastic', 'elastic/elastic-agent:9.5.0'],
  ['elastic-agent', '9.0.0-SNAPSHOT', '', '', 'elastic-agent/elastic-agent:9.0.0-SNAPSHOT'],
];

const SINCE_3_3: readonly Row[] = [
  ['package-registry', '8.15.0', '', '', 'package-registry/distribution:lite-8.15.1'],
  ['package-registry', '8.16.0', '', '', 'package-registry/distribution:lite-8.16.0'],
  ['package-registry', '1.0.0', '-ubi', '', 'package-registry/distribution:lite-8.19.8-ubi'],
  ['package-registry', '1.0.0', '-random', '', 'package-registry/distribution-random:lite-8.15.1'],
  ['package-registry', '8.19.0', '', '', 'package-registry/distribution:lite-8.19.0'],
  ['package-registry', '9.0.0', '', '', 'package-registry/distribution:lite-9.0.0'],
  ['package-registry', '9.2.2', '', '', 'package-registry/distribution:lite-9.2.2'],
  ['package-registry', '8.19.0', '-custom', '', 'package-registry/distribution-custom:lite-8.19.0'],
  ['package-registry', '7.17.0', '-ubi', '', 'package-registry/distribution:lite-8.19.8-ubi'],
  ['package-registry', '8.0.0', '-ubi', '', 'package-registry/distribution:lite-8.19.8-ubi'],
  ['package-registry', '8.19.7', '-ubi', '', 'package-registry/distribution:lite-8.19.8-ubi'],
  ['package-registry', '9.0.0', '-ubi', '', 'package-registry/distribution:lite-9.1.8-ubi'],
  ['package-registry', '9.1.0', '-ubi', '', 'package-registry/distribution:lite-9.1.8-ubi'],
  ['package-registry', '9.2.0', '-ubi', '', 'package-registry/distribution:lite-9.2.2-ubi'],
  ['package-registry', '8.19.8', '-ubi', '', 'package-registry/distribution:lite-8.19.8-ubi'],
  ['package-registry', '8.20.0', '-ubi', '', 'package-registry/distribution:lite-8.20.0-ubi'],
  ['package-registry', '9.1.8', '-ubi', '', 'package-registry/distribution:lite-9.1.8-ubi'],
  ['package-registry', '9.1.9', '-ubi', '', 'package-registry/distribution:lite-9.1.9-ubi'],
  ['package-registry', '9.2.2', '-ubi', '', 'package-registry/distribution:lite-9.2.2-ubi'],
  ['package-registry', '9.3.0', '-ubi', '', 'package-registry/distribution:lite-9.3.0-ubi'],
  ['package-registry', '10.0.0', '-ubi', '', 'package-registry/distribution:lite-10.0.0-ubi'],
  ['package-registry', '9.5.2', '', 'elastic', 'package-registry/distribution:lite-9.5.2'],
  ['package-registry', '9.5.2', '-wolfi', '', 'package-registry/distribution-wolfi:lite-9.5.2'],
  ['package-registry', '8.15.1-SNAPSHOT', '', '', 'package-registry/distribution:lite-8.15.1'],
  ['autoops-agent', '9.5.2', '', '', 'elastic-agent/elastic-otel-collector-wolfi:9.5.2'],
  ['autoops-agent', '9.5.2', '-wolfi', '', 'elastic-agent/elastic-otel-collector-wolfi-wolfi:9.5.2'],
];

const TABLES = RELEASES.map((eck) => ({
  eck,
  rows: [...EVERY_RELEASE, ...(eck.startsWith('2.') ? BEFORE_3 : SINCE_3), ...(eck >= '3.3.0' ? SINCE_3_3 : [])],
}));

describe.each(TABLES)('ECK $eck', ({ eck, rows }) => {
  test.each(rows)(
    'asks for %s %s with suffix "%s" and repository "%s" as %s',
    (image, version, suffix, ...[repository, expected]) => {
      const settings = { containerRegistry: HOST, containerRepository: repository, containerSuffix: suffix };
      expect(eckImageName(parseVersion(eck), settings, image, parseVersion(version))).toBe(`${HOST}/${expected}`);
    },
  );
});

describe('the operator', () => {
  const eck = parseVersion('3.5.0');

  test('takes ubi-only for a suffix of -ubi, and does not start with ubi-only and another suffix', () => {
    const version = parseVersion('8.19.20');
    expect(eckImageName(eck, { ubiOnly: true }, 'kibana', version)).toBe('docker.elastic.co/kibana/kibana-ubi:8.19.20');
    expect(thrown(() => eckImageName(eck, { ubiOnly: true, containerSuffix: '-wolfi' }, 'kibana', version)).code).toBe(
      'CONFIG_INVALID',
    );
  });

  test('prefixes a registry that has a path', () => {
    const settings = { containerRegistry: 'harbor.example:5000/mirror' };
    expect(eckImageName(eck, settings, 'kibana', parseVersion('9.5.2'))).toBe(
      'harbor.example:5000/mirror/kibana/kibana:9.5.2',
    );
  });

  test.each([
    ['3.2.0', 'package-registry', false],
    ['3.3.0', 'package-registry', true],
    ['3.2.0', 'autoops-agent', false],
    ['2.16.0', 'elastic-agent', true],
  ] as const)('%s manages %s: %s', (version, image, expected) => {
    expect(managesImage(parseVersion(version), image)).toBe(expected);
    const derive = () => eckImageName(parseVersion(version), {}, image, parseVersion('9.5.2'));
    if (expected) expect(derive()).toContain(':');
    else expect(thrown(derive).code).toBe('VERSION_UNSUPPORTED');
  });

  test('of the main branch leaves -wolfi out where images are Wolfi anyway', () => {
    const name = (image: EckImage) =>
      eckImageName(parseVersion('3.6.0'), { containerSuffix: '-wolfi' }, image, parseVersion('8.19.20'));
    expect(name('package-registry')).toBe('docker.elastic.co/package-registry/distribution:lite-8.19.20');
    expect(name('enterprise-search')).toBe('docker.elastic.co/enterprise-search/enterprise-search:8.19.20');
    expect(name('maps-server')).toBe('docker.elastic.co/elastic-maps-service/elastic-maps-server-wolfi:8.19.20');
    expect(name('autoops-agent')).toBe('docker.elastic.co/elastic-agent/elastic-otel-collector-wolfi:8.19.20');
  });
});

const arbitrary = {
  image: fc.constantFrom<EckImage>(
    'elasticsearch',
    'kibana',
    'elastic-agent',
    'maps-server',
    'package-registry',
    'filebeat',
  ),
  eck: fc.constantFrom(...RELEASES.filter((release) => release >= '3.3.0')).map(parseVersion),
  version: fc
    .record({ major: fc.integer({ min: 7, max: 10 }), minor: fc.nat(30), patch: fc.nat(20) })
    .map((parts) => ({ ...parts, pre: [] })),
  settings: fc.record(
    {
      containerRegistry: fc.constantFrom('my.registry', 'my.registry:5000/a/b'),
      containerRepository: fc.constantFrom('', 'elastic', 'a/b'),
      containerSuffix: fc.constantFrom('', '-wolfi', '-ubi'),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<OperatorSettings>,
};

describe('every derived name', () => {
  test('is a reference, in the registry that is set', () => {
    fc.assert(
      fc.property(fc.record(arbitrary), ({ eck, settings, image, version }) => {
        const name = eckImageName(eck, settings, image, version);
        expect(name.startsWith(`${settings.containerRegistry ?? 'docker.elastic.co'}/`)).toBe(true);
        expect(parseReference(name).tag).toBeDefined();
      }),
    );
  });

  test('has the version as tag, but for the package registry', () => {
    fc.assert(
      fc.property(fc.record(arbitrary), ({ eck, settings, image, version }) => {
        const tag = parseReference(eckImageName(eck, settings, image, version)).tag ?? '';
        if (image === 'package-registry') expect(tag).toMatch(/^lite-[0-9.]+(-ubi)?$/);
        else expect(tag).toBe(formatVersion(version));
      }),
    );
  });

  test('keeps its last part, and loses its group, when a container-repository is set', () => {
    fc.assert(
      fc.property(fc.record(arbitrary), ({ eck, settings, image, version }) => {
        const rest = { ...settings, containerRegistry: 'r.example' };
        const plain = eckImageName(eck, { ...rest, containerRepository: '' }, image, version);
        const flat = eckImageName(eck, { ...rest, containerRepository: 'one' }, image, version);
        const expected =
          image === 'package-registry' ? plain : `r.example/one/${plain.slice(plain.lastIndexOf('/') + 1)}`;
        expect(flat).toBe(expected);
      }),
    );
  });
});
