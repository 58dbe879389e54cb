import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareVersions,
  describeRange,
  formatVersion,
  hasReached,
  isBefore,
  isInRange,
  isVersion,
  parseMinor,
  parseVersion,
} from '../../src/catalog/version.ts';
import { thrown } from '../support/thrown.ts';

/** The order of SemVer §11, and versions as Elastic writes them. */
const ASCENDING = [
  ...['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1'],
  ...['1.0.0', '7.17.15', '7.17.16', '8.2.0', '8.11.4', '8.12.0-1', '8.12.0-SNAPSHOT', '8.12.0', '8.19.20'],
  ...['9.0.0-beta1', '9.0.0-rc1', '9.0.0', '9.6.0-SNAPSHOT', '9.6.0', '10.0.0'],
];

describe('versions', () => {
  test('are ordered by precedence', () => {
    const shuffled = [...ASCENDING].reverse().sort((a, b) => compareVersions(parseVersion(a), parseVersion(b)));
    expect(shuffled).toEqual(ASCENDING);
  });

  test.each([
    ...['9', '9.5', 'v9.5.2', '9.5.2.1', '09.5.2', '9.5.02', ' 9.5.2', '9.5.2 ', '9.5.2-', '9.5.2-a..b', '9.5.2-01'],
    ...['9.5.2+build1', '9.5.x', 'latest', '', '-1.0.0', '9.5.2-ä', `9.5.2-${'a'.repeat(200)}`],
  ])('are not %j', (text) => {
    expect(isVersion(text)).toBe(false);
    expect(thrown(() => parseVersion(text)).code).toBe('VERSION_INVALID');
  });

  test('come back as they were written', () => {
    for (const text of ASCENDING) expect(formatVersion(parseVersion(text))).toBe(text);
  });

  const version = fc.constantFrom(...ASCENDING).map(parseVersion);

  test('compare the same both ways round, and by transitivity', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe('ranges', () => {
  test.each([
    ['8.16.0', { from: '8.16.0' }, true],
    ['8.16.0-SNAPSHOT', { from: '8.16.0' }, true],
    ['8.16.0-0', { from: '8.16.0' }, true],
    ['8.15.9', { from: '8.16.0' }, false],
    ['9.0.0-rc1', { until: '9.0.0' }, false],
    ['8.99.99', { until: '9.0.0' }, true],
    ['9.0.0', { from: '8.0.0', until: '9.0.0' }, false],
    ['9.0.0-rc2', { from: '9.0.0-rc1' }, true],
    ['9.0.0-beta1', { from: '9.0.0-rc1' }, false],
    ['1.0.0', {}, true],
  ])('%s in %o: %s', (text, range, expected) => {
    expect(isInRange(parseVersion(text), range)).toBe(expected);
  });

  test('tell pre-releases apart only where precedence is asked for', () => {
    const snapshot = parseVersion('8.15.1-SNAPSHOT');
    expect(isBefore(snapshot, '8.15.1')).toBe(true);
    expect(hasReached(snapshot, '8.15.1')).toBe(true);
  });

  test('are put in words', () => {
    expect(describeRange({ from: '8.0.0', until: '9.0.0' })).toBe('from 8.0.0 to before 9.0.0');
    expect(describeRange({ from: '8.0.0' })).toBe('8.0.0 and newer');
    expect(describeRange({ until: '9.0.0' })).toBe('before 9.0.0');
    expect(describeRange({})).toBe('any version');
  });
});

describe('versions of Kubernetes and OpenShift', () => {
  test.each(['1.34', 'v1.34', '1.34.2', 'v1.34.2-eks-1234', '1.34.1+k3s1', '1.34+'])('%s is 1.34', (text) => {
    expect(parseMinor(text)).toBe(parseMinor('1.34'));
  });

  test('sort by number', () => {
    expect(parseMinor('4.9')).toBeLessThan(parseMinor('4.16'));
    expect(parseMinor('1.36')).toBeLessThan(parseMinor('4.1'));
  });

  test.each(['1', 'one.two', '1.', '', '1.34x', 'x1.34'])('%j is none', (text) => {
    expect(thrown(() => parseMinor(text)).code).toBe('VERSION_INVALID');
  });
});
