import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bundleNameFrom,
  completed,
  faultOf,
  offers,
  stackReleasesFor,
  wantedByAnswers,
} from '../../src/build/starter.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import { checkEck, checkStack, eckReleasesByAge } from '../../src/catalog/compatibility.ts';
import { compareVersions, parseVersion } from '../../src/catalog/version.ts';
import { thrown } from '../support/thrown.ts';

const releases = builtInCatalogue.stackReleases;
const eckVersions = eckReleasesByAge(builtInCatalogue).map(({ eck }) => eck.from);

describe('what is taken where nobody was asked', () => {
  test('is the newest that is known, and goes together', () => {
    const answers = completed({});
    expect([answers.eck, answers.stack]).toEqual([eckVersions.at(-1), releases.slice(0, 1)]);
    expect(faultOf(answers)).toBeUndefined();
    expect(wantedByAnswers(answers).images.map(({ name }) => name)).toContain(
      `docker.elastic.co/kibana/kibana:${releases[0] ?? ''}`,
    );
  });

  test.each(eckVersions)('is the newest Stack that ECK %s runs', (eck) => {
    const answers = completed({ eck });
    expect(faultOf(answers)).toBeUndefined();
    for (const version of releases.slice(0, releases.indexOf(answers.stack[0] ?? '')))
      expect(faultOf({ ...answers, stack: [version] })?.code).toBe('VERSION_UNSUPPORTED');
    expect(stackReleasesFor(answers)[0]).toBe(answers.stack[0]);
  });

  test('is the newest ECK that runs what is given', () => {
    const answers = completed({ stack: ['7.17.28'] });
    expect(faultOf(answers)).toBeUndefined();
    for (const eck of eckVersions.slice(eckVersions.indexOf(answers.eck) + 1))
      expect(faultOf({ ...answers, eck })?.code).toBe('VERSION_UNSUPPORTED');
    const last8 = releases.find((version) => version.startsWith('8.'));
    expect(completed({ components: ['enterprise-search'] })).toMatchObject({ eck: eckVersions.at(-1), stack: [last8] });
  });

  test('leaves what is given as it is, together or not', () => {
    const given = { eck: '2.16.1', stack: ['9.5.2'], components: ['kibana'], monitoring: false, diagnostics: true };
    expect(completed(given)).toMatchObject(given);
    expect(faultOf(completed(given))?.code).toBe('VERSION_UNSUPPORTED');
  });
});

test('known releases of the Stack are those of the tables, the newest first', () => {
  const versions = releases.map(parseVersion);
  expect([...versions].sort(compareVersions).reverse()).toEqual(versions);
  for (const version of versions) checkStack(version, { catalogue: builtInCatalogue });
  for (const eck of eckVersions) checkEck(parseVersion(eck), { catalogue: builtInCatalogue });
});

describe('what cannot be had is the refusal of the catalogue', () => {
  test.each([
    ['a component that is none', { components: ['kibanna'] }, 'COMPONENT_UNKNOWN'],
    ['a newer version than is known', { stack: ['99.0.0'] }, 'VERSION_UNKNOWN'],
    ['a version that is none', { eck: 'latest' }, 'CONFIG_INVALID'],
    ['a name that is none', { name: '../x' }, 'CONFIG_INVALID'],
    ['a platform that nothing is for', { platforms: ['linux/s390x'] }, 'PLATFORM_MISSING'],
  ] as const)('%s', (_case, given, code) => {
    const answers = completed(given);
    expect(faultOf(answers)?.code).toBe(code);
    expect(thrown(() => wantedByAnswers(answers)).code).toBe(code);
  });

  test('but for unknown versions, where they are allowed', () => {
    expect(faultOf(completed({ stack: ['99.0.0'] }), { allowUnknownVersion: true })?.code).not.toBe('VERSION_UNKNOWN');
    expect(faultOf(completed({ stack: ['9.99.0'] }), { allowUnknownVersion: true })).toBeUndefined();
  });
});

describe('the components that are offered', () => {
  const offered = offers(completed({}));

  test('are all but those that come along by themselves', () => {
    const unasked = builtInCatalogue.components.filter(
      ({ name }) => !offered.some((one) => one.component.name === name),
    );
    expect(unasked.map(({ name }) => name)).toEqual(['eck-operator', 'eck-support-diagnostics', 'support-diagnostics']);
  });

  test('say what speaks against them', () => {
    const faultOfOne = (name: string) => offered.find(({ component }) => component.name === name)?.fault?.code;
    expect(faultOfOne('kibana')).toBeUndefined();
    expect(faultOfOne('enterprise-search')).toBe('VERSION_UNSUPPORTED');
    expect(faultOfOne('eland')).toBe('VERSION_INVALID');
  });
});

test('a bundle can be called as the folder, whatever that is called', () => {
  expect(bundleNameFrom('Site Alpha (2)')).toBe('site-alpha-2');
  expect(bundleNameFrom('...')).toBeUndefined();
  fc.assert(
    fc.property(fc.string({ maxLength: 100 }), (folder) => {
      const name = bundleNameFrom(folder);
      if (name === undefined) return;
      const spec = { apiVersion: 'eck-airgap/v1', kind: 'BundleSpec', metadata: { name }, elastic: { eck: '3.5.0' } };
      expect(parseSpec(JSON.stringify(spec), 'spec').metadata.name).toBe(name);
    }),
  );
});
