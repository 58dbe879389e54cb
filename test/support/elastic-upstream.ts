// What a registry must have for a choice of `elastic`, and no more: a small image under each name that `lock` asks it for.
import { charts } from '../../src/catalog/files.ts';
import { lockFor, PLATFORMS } from './locks.ts';
import { randomImage, randomIndex, type Graph } from './random-image.ts';

/** By name: what follows from the choice, and the operator's default image, which its manifest and its chart name. */
export function elasticImages(elastic: { readonly eck: string }, platforms = PLATFORMS): Record<string, Graph> {
  const operator = { name: `docker.elastic.co/eck/eck-operator:${elastic.eck}`, platforms };
  const images = [operator, ...lockFor({ elastic, platforms }).images];
  return Object.fromEntries(images.map((image) => [image.name, smallImage(image.name, image.platforms)]));
}

/** One for each platform; a single one without an index, as it may be published. */
export function smallImage(seed: string, platforms: readonly string[]): Graph {
  const layerSize = 50;
  const [only = '', ...others] = platforms;
  return others.length === 0
    ? randomImage(seed, { platform: only, layerSize })
    : randomIndex(seed, { platforms, layerSize });
}

/** The names that the charts of a release of ECK have in a bundle, sorted. */
export function elasticChartNames(eck: string): string[] {
  return charts(eck)
    .map(({ name, version }) => `helm.elastic.co/charts/${name}:${version}`)
    .sort();
}
