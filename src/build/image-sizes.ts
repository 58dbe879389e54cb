// How much of each image is its own, and how much it shares with others: read from the manifests in the cache.
import type { Digest } from '../core/digest.ts';
import type { Activity } from '../core/events.ts';
import { forEach } from '../core/pool.ts';
import type { Lock } from '../bundle/lock.ts';
import type { ImageSize, ImageSizes } from '../bundle/transfer/page.ts';
import { walkGraph } from '../oci/copy.ts';
import type { Fetcher } from '../oci/target.ts';
import { roots } from './fetch.ts';

/** @throws CONTENT_MISSING when `source` lacks a manifest */
export async function imageSizes(
  lock: Pick<Lock, 'images'>,
  source: Fetcher,
  { signal }: Activity = {},
): Promise<ImageSizes> {
  const images = lock.images.filter(({ artifact }) => artifact !== true);
  const graphs = await forEach(
    images,
    async (image): Promise<[string, Map<Digest, number>]> => {
      const nodes = [
        ...(await walkGraph(source, roots(image), { signal })),
        ...(image.original ? [image.original] : []),
      ];
      return [image.name, new Map(nodes.map(({ digest, size }) => [digest, size]))];
    },
    { concurrency: 8, signal },
  );
  const holders = new Map<Digest, number>();
  for (const [, blobs] of graphs)
    for (const digest of blobs.keys()) holders.set(digest, (holders.get(digest) ?? 0) + 1);
  const all = new Map(graphs.flatMap(([, blobs]) => [...blobs]));
  return {
    images: new Map(graphs.map(([name, blobs]) => [name, sizeOf(blobs, holders)])),
    total: sum([...all.values()]),
  };
}

function sizeOf(blobs: ReadonlyMap<Digest, number>, holders: ReadonlyMap<Digest, number>): ImageSize {
  const own = [...blobs].filter(([digest]) => holders.get(digest) === 1).map(([, size]) => size);
  return { own: sum(own), shared: sum([...blobs.values()]) - sum(own) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
