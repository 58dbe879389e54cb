// How many images a bundle holds, for people: what is none (a chart, for example) is not counted as one.
import { plural } from '../core/plural.ts';
import type { BundleImage } from './manifest.ts';

export function countArtifacts(all: readonly Pick<BundleImage, 'artifact'>[]): number {
  return all.filter(({ artifact }) => artifact === true).length;
}

/** `6 images and 3 artifacts`, `1 image`. @param all images and artifacts */
export function countedImages(all: number, artifacts: number): string {
  const images = plural(all - artifacts, 'image');
  return artifacts === 0 ? images : `${images} and ${plural(artifacts, 'artifact')}`;
}

/** Of a bundle. */
export function imagesOf({ images }: { readonly images: readonly Pick<BundleImage, 'artifact'>[] }): string {
  return countedImages(images.length, countArtifacts(images));
}
