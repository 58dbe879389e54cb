import { describe, expect, test } from 'vitest';
import { opensslSpeed, spread } from '../../scripts/bench/stats.ts';

describe('spread', () => {
  test.each([
    { values: [3], expected: { median: 3, from: 3, to: 3 } },
    { values: [9, 1, 5], expected: { median: 5, from: 1, to: 9 } },
    { values: [4, 1, 2, 100], expected: { median: 3, from: 1, to: 100 } },
  ])('of $values', ({ values, expected }) => {
    expect(spread(values)).toEqual(expected);
  });

  test('of nothing is none', () => {
    expect(() => spread([])).toThrow('no values');
  });
});

test('what openssl speed prints is bytes a second', () => {
  const text =
    'version: 3.0.15\nThe numbers are in 1000s of bytes per second processed.\ntype     1048576 bytes\nsha256       1435337.20k\n';
  expect(opensslSpeed(text)).toBe(1_435_337_200);
  expect(() => opensslSpeed('md5 1.0k')).toThrow('something else');
});
