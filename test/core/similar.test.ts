import { expect, test } from 'vitest';
import { didYouMean, nearest } from '../../src/core/similar.ts';

test.each([
  ['componets', 'components'],
  ['flavor', 'flavour'],
  ['Docker.Elastic.co', 'docker.elastic.co'],
  ['imgaes', 'images'],
  ['elephant', undefined],
  ['x'.repeat(100_000), undefined],
])('%.20s is nearest to %s', (typed, expected) => {
  const names = ['components', 'flavour', 'images', 'docker.elastic.co', 'x'.repeat(90_000)];
  expect(nearest(typed, names)).toBe(expected);
});

test('the end of a sentence, where there is something to say', () => {
  expect(didYouMean('licens', ['licence'])).toBe('; did you mean "licence"?');
  expect(didYouMean('a', ['b', 'kibana'])).toBe('');
});
