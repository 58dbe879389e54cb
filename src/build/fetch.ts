// Brings everything a lock pins into the cache. What is there already costs no request.
import type { Activity } from '../core/events.ts';
import { AirgapError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import { forEach, Semaphore } from '../core/pool.ts';
import type { Lock, LockedImage } from '../bundle/lock.ts';
import type { Cache } from '../oci/cache.ts';
import { copyGraph, walkGraph } from '../oci/copy.ts';
import { readBlob } from '../oci/content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { parseReference } from '../oci/reference.ts';
import type { Fetcher } from '../oci/target.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import { fetchChart } from './charts/fetch-chart.ts';
import { fetchFile, fileDescriptor } from './files/fetch-file.ts';
import { fullUrls, type FullUrls } from './full-urls.ts';
import { explainingMissing, type MovedTagContext } from './moved-tag.ts';
import { cacheFirst, readThrough } from './read-through.ts';
import { namingImage, selectImage, type WantedPlatforms } from './resolve.ts';
import type { Sources } from './sources.ts';

/** Blobs fetched at a time, of all images. */
const TRANSFERS = 6;

export interface FetchLockedOptions extends Activity {
  readonly cache: Cache;
  readonly sources: Sources;
  /** The folder that relative file paths start from. */
  readonly folder: string;
  /** What the lock was made from. */
  readonly spec: Pick<BundleSpec, 'files' | 'charts'>;
  /** Images worked on at a time; 3 by default. */
  readonly concurrency?: number | undefined;
}

interface Graph {
  readonly image: LockedImage;
  /** Where the content comes from. */
  readonly source: Fetcher;
  readonly nodes: readonly Descriptor[];
}

/** What a lock pins, its manifests read and nothing else fetched; charts alone, which are small, are in the cache already. */
export interface LockedGraphs {
  readonly graphs: readonly Graph[];
  /** Every blob; one that images share comes several times. */
  readonly wanted: readonly Descriptor[];
}

/** @throws as `fetchLocked` */
export async function readLocked(lock: Lock, options: FetchLockedOptions): Promise<LockedGraphs> {
  const each = { concurrency: options.concurrency ?? 3, signal: options.signal };
  const { web } = options.sources;
  const urls = fullUrls(options.spec, { web, selection: lock.selection });
  const graphs = await forEach(
    lock.images,
    (image, signal) => {
      const own = { ...options, signal };
      return image.chart === undefined
        ? ofImage(image, own, () => readGraph(image, { ...own, platforms: lock.platforms }))
        : readChartGraph(image, { ...own, urls });
    },
    each,
  );
  options.report?.({ type: 'step', step: 'fetch:manifests' });
  return { graphs, wanted: [...graphs.flatMap(({ nodes }) => nodes), ...lock.files.map(fileDescriptor)] };
}

/** @throws CONTENT_MISSING, UPSTREAM_CHANGED, DIGEST_MISMATCH and the registry's errors, each naming the image or file */
export async function fetchLocked(lock: Lock, locked: LockedGraphs, options: FetchLockedOptions): Promise<void> {
  const each = { concurrency: options.concurrency ?? 3, signal: options.signal };
  const { graphs, wanted } = locked;
  const { web } = options.sources;
  const urls = fullUrls(options.spec, { web, selection: lock.selection });
  options.report?.({ type: 'phase', phase: 'fetching', total: await missingBytes(wanted, options.cache) });
  const progress = (bytes: number): void => options.report?.({ type: 'progress', bytes });
  const transfers = new Semaphore(TRANSFERS);
  await forEach(
    graphs,
    async ({ image, source }, signal) => {
      const copy = { transfers, signal, progress, report: options.report };
      if (image.chart === undefined)
        await ofImage(image, { ...options, signal }, () => copyGraph(source, options.cache, roots(image), copy));
      options.report?.({ type: 'done', what: image.name });
    },
    each,
  );
  await forEach(lock.files, (file, signal) => fetchFile(file, { ...options, urls, web, signal, progress }), each);
  options.report?.({ type: 'step', step: 'fetch:done' });
}

/** What of an image is carried with all that is below it; the original index goes along as a single blob. */
export function roots(image: LockedImage): Descriptor[] {
  return [image, ...image.accompanying].map(({ digest, mediaType, size }) => ({ digest, mediaType, size }));
}

/** Errors name the image, and say where its tag moved what the lock pins out of reach. */
function ofImage<T>(image: LockedImage, context: MovedTagContext, task: () => Promise<T>): Promise<T> {
  return explainingMissing(image, context, () => namingImage(image.name, task, image.from));
}

/** A chart is made of its archive, which is small: it is in the cache before its graph is read. */
async function readChartGraph(image: LockedImage, options: FetchLockedOptions & { urls: FullUrls }): Promise<Graph> {
  const { cache, sources, signal } = options;
  await fetchChart(image, { ...options, web: sources.web });
  return { image, source: cache, nodes: await walkGraph(cache, roots(image), { signal }) };
}

async function readGraph(image: LockedImage, options: FetchLockedOptions & Pick<Lock, 'platforms'>): Promise<Graph> {
  const repository = options.sources.repository(parseReference(image.from ?? image.name));
  const source = readThrough(options.cache, repository);
  if (image.original) {
    await readBlob(source, image.original, { signal: options.signal });
    const platforms: WantedPlatforms = options.platforms === 'all' ? 'all' : image.platforms;
    const choice = { cache: options.cache, platforms, without: image.without };
    const selection = await selectImage(source, image.original, choice);
    if (selection.root.digest !== image.digest) {
      throw new AirgapError(
        'DIGEST_MISMATCH',
        `the lock's digest ${image.digest} is not what its platforms select from ${image.original.digest}`,
        {
          hint: 'Run "eck-airgap lock" again; a lock is not edited by hand.',
        },
      );
    }
  }
  return {
    image,
    source: cacheFirst(options.cache, repository),
    nodes: await walkGraph(source, roots(image), { signal: options.signal }),
  };
}

async function missingBytes(wanted: readonly Descriptor[], cache: Cache): Promise<number> {
  const nodes = new Map<Digest, Descriptor>(wanted.map((node) => [node.digest, node]));
  const sizes = await forEach(nodes.values(), async (node) => ((await cache.exists(node)) ? 0 : node.size), {
    concurrency: 16,
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}
