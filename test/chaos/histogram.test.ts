import { expect, test } from 'vitest';
import { Durations, Histogram, shares } from '../../scripts/chaos/histogram.ts';

test('a kill is counted in the tenth where it landed; what goes on for longer belongs to the last', () => {
  const histogram = new Histogram();
  for (const share of [0, 0.05, 0.1, 0.95, 1, 1.7]) histogram.landed('fetch', share);
  histogram.landed('write', 0.55);
  expect(histogram.rows()).toEqual([
    { phase: 'fetch', tenths: [2, 1, 0, 0, 0, 0, 0, 0, 0, 3] },
    { phase: 'write', tenths: [0, 0, 0, 0, 0, 1, 0, 0, 0, 0] },
  ]);
});

test('a phase lasts as long as the median of the last seven times', () => {
  const durations = new Durations();
  for (const milliseconds of [9000, 9000, 9000, 10, 70, 20, 60, 30, 50, 40]) durations.see('fetch', milliseconds);
  expect(durations.of('fetch')).toBe(40);
  expect(durations.all('fetch')).toHaveLength(10);
  expect(() => durations.of('write')).toThrow('write');
});

test.each([
  [100, 4, [25, 25, 25, 25]],
  [6, 4, [2, 2, 1, 1]],
  [1, 4, [1, 0, 0, 0]],
])('%i kills over %i phases', (count, parts, expected) => {
  expect(shares(count, parts)).toEqual(expected);
});
