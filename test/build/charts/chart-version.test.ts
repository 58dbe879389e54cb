import { describe, expect, test } from 'vitest';
import { isChartVersion, isSameVersion, newestFirst } from '../../../src/build/charts/chart-version.ts';

describe('the version of a chart', () => {
  test.each([
    '1.2.3',
    'v1.2.3',
    '1',
    '1.0',
    '0.0.0-20260102030405',
    '1.2.3-rc.1+build.5',
    '1.2.3+a_b'.replace('_', '-'),
  ])('may be %s, as in Helm', (text) => expect(isChartVersion(text)).toBe(true));

  test.each([
    '',
    'latest',
    '^1.2.3',
    '1.x',
    '1.2.3.4',
    '01.2.3',
    '1.2.3-',
    '1.2.3+',
    '1.2.3 ',
    '-1',
    `1.${'2'.repeat(300)}`,
  ])('is not %j', (text) => expect(isChartVersion(text)).toBe(false));

  test.each([
    ['1.2.3', 'v1.2.3', true],
    ['1.2', '1.2.0', true],
    ['1.2.3+a', '1.2.3+b', true],
    ['1.2.3', '1.2.3-rc.1', false],
    ['1.2.3', '1.2.30', false],
    ['latest', 'latest', false],
  ])('%s is the same as %s: %s', (a, b, same) => expect(isSameVersion(a, b)).toBe(same));

  test('sorts by its numbers, the newest first', () => {
    expect(newestFirst(['3.9.0', '3.10.1', '2.16.1', '3.10.0'])).toEqual(['3.10.1', '3.10.0', '3.9.0', '2.16.1']);
  });
});
