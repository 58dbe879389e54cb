// The catalogue against Elastic's own files, where they lie beside the project (they are not ours to keep in it): the CRDs,
// the values and Chart.yaml of the operator chart, and examples of ECK 3.5.0; the public key GPG-KEY-elasticsearch.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import { eckImageName, managesImage } from '../../src/catalog/image-name.ts';
import { charts, signingKeys } from '../../src/catalog/files.ts';
import { selectImages } from '../../src/catalog/select.ts';
import { parseVersion } from '../../src/catalog/version.ts';
import { ELASTIC_DATA, elasticData } from '../support/elastic-data.ts';

const ABSENT = elasticData("the catalogue against Elastic's own files", 'eck-3.5.0') === undefined;
const read = (path: string): string => readFileSync(join(ELASTIC_DATA, path), 'utf8');

interface Crd {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly storage: boolean; readonly schema: unknown }[];
  };
}

const components = builtInCatalogue.components.filter(({ resource }) => resource !== undefined);

describe.skipIf(ABSENT)("Elastic's files of ECK 3.5.0", () => {
  const crds = () =>
    (loadAll(read('eck-3.5.0/crds.yaml')) as Crd[]).filter((crd) => crd.kind === 'CustomResourceDefinition');
  const stored = (crd: Crd) => crd.spec.versions.find(({ storage }) => storage);

  test('have the kind and stored version of every resource in the catalogue', () => {
    const known = new Set(crds().map((crd) => `${crd.spec.names.kind} ${crd.spec.group}/${stored(crd)?.name ?? ''}`));
    const ours = components.map(({ resource }) => `${resource!.kind} ${resource!.apiVersion}`);
    expect(ours.filter((resource) => !known.has(resource))).toEqual([]);
    const without = [...known].filter((resource) => !ours.includes(resource)).map((resource) => resource.split(' ')[0]);
    expect(without.sort()).toEqual(['ElasticsearchAutoscaler', 'StackConfigPolicy']);
  });

  test('have .spec.image for every resource, and .spec.monitoring for those that are monitored', () => {
    const propertiesOf = (kind: string) => {
      const crd = crds().find(({ spec }) => spec.names.kind === kind);
      const { openAPIV3Schema } = stored(crd!)!.schema as {
        openAPIV3Schema: { properties: Record<string, { properties: object }> };
      };
      return Object.keys(openAPIV3Schema.properties['spec']!.properties);
    };
    for (const { name, resource } of components) {
      const properties = propertiesOf(resource!.kind);
      expect(properties, name).toContain('image');
      expect(properties.includes('monitoring'), name).toBe(resource!.monitored !== undefined);
    }
  });

  test('have the operator image of their chart, in both flavours', () => {
    const values = load(read('eck-3.5.0/chart-eck-operator/values.yaml')) as {
      image: { repository: string };
      config: object;
    };
    const { version, appVersion } = load(read('eck-3.5.0/chart-eck-operator/Chart.yaml')) as Record<string, string>;
    const operator = (flavour: 'default' | 'ubi') =>
      selectImages({ eckVersion: appVersion!, stackVersions: [], components: [], flavour }).images.map(
        ({ name }) => name,
      );
    expect(operator('default')).toEqual([`${values.image.repository}:${appVersion}`]);
    expect(operator('ubi')).toEqual([`${values.image.repository}-ubi:${appVersion}`]);
    expect(charts('3.5.0')[0]?.version).toBe(version);
    expect(values.config).toMatchObject({ containerRegistry: 'docker.elastic.co', ubiOnly: false });
  });

  test('have no example of a resource that ECK 3.5.0 would run in a version we refuse', () => {
    const root = join(ELASTIC_DATA, 'eck-3.5.0/examples');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.yaml'));
    let seen = 0;
    for (const file of files) {
      for (const document of loadAll(readFileSync(join(root, file), 'utf8')) as (Example | null)[]) {
        const found = components.filter(
          ({ resource }) => `${resource!.kind} ${resource!.apiVersion}` === nameOf(document),
        );
        const component = found.find(({ name }) => found.length === 1 || name === beatOf(document)) ?? found[0];
        const version = document?.spec?.version;
        if (component === undefined || version === undefined) continue;
        const select = () =>
          selectImages({ eckVersion: '3.5.0', stackVersions: [version], components: [{ name: component.name }] });
        expect(select, `${file}: ${component.name} ${version}`).not.toThrow();
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(50);
  });

  test('have the key whose fingerprint is pinned', () => {
    const armoured = read('package-registry/GPG-KEY-elasticsearch');
    const [, body = ''] = /\r?\n\r?\n([\s\S]*?)\r?\n=/.exec(armoured) ?? [];
    expect(fingerprintOf(Buffer.from(body, 'base64'))).toBe(signingKeys[0]!.fingerprint);
  });
});

interface Example {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly spec?: { readonly version?: string; readonly type?: string };
}

function nameOf(document: Example | null): string {
  return `${document?.kind ?? ''} ${document?.apiVersion ?? ''}`;
}

function beatOf(document: Example | null): string | undefined {
  return document?.spec?.type;
}

/** Of the public-key packet that an OpenPGP v4 key begins with (RFC 9580, 4.2.2 and 5.5.4.2). */
function fingerprintOf(key: Buffer): string {
  expect(key[0]).toBe(0x99);
  const length = key.readUInt16BE(1);
  return createHash('sha1')
    .update(key.subarray(0, 3 + length))
    .digest('hex')
    .toUpperCase();
}

test('every image that ECK derives is one of a component', () => {
  const eck = parseVersion('3.5.0');
  for (const { name, resource } of components) {
    expect(managesImage(eck, resource!.image), name).toBe(true);
    expect(eckImageName(eck, {}, resource!.image, parseVersion('8.19.20')), name).toContain('docker.elastic.co/');
  }
});
