import { expect, test } from 'vitest';
import { elasticImages } from '../../scripts/bench/elastic.ts';
import { MIB } from '../../scripts/bench/image.ts';

test('the set is what the page says of it, and the same every time', () => {
  const images = elasticImages();
  const layers = images.flat();
  const uses = new Map<string, number>();
  for (const { seed } of layers) uses.set(seed, (uses.get(seed) ?? 0) + 1);
  const shared = layers.filter(({ seed }) => (uses.get(seed) ?? 0) > 1);
  const bytes = [...new Map(layers.map((layer) => [layer.seed, layer.bytes])).values()].reduce((a, b) => a + b);
  const sizes = layers.map((layer) => layer.bytes);
  expect([images.length, layers.length]).toEqual([12, 102]);
  expect(shared.length / layers.length).toBeCloseTo(0.4, 1);
  expect([Math.min(...sizes), Math.max(...sizes) / MIB]).toEqual([1024, 150]);
  expect(bytes / MIB / 1024).toBeCloseTo(2, 1);
  expect(elasticImages()).toEqual(images);
});
