// `load`: exactly what the plan says, in an order in which a crash leaves nothing that looks whole and is not: blobs, child
// manifests, indexes, then what refers to them, and tags last.
import type { Activity } from '../core/events.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { forEach, Semaphore } from '../core/pool.ts';
import type { Bundle } from '../bundle/reader.ts';
import { copyGraph } from '../oci/copy.ts';
import type { Target } from '../oci/target.ts';
import type { Registry } from '../registry/registry.ts';
import type { LoadPlan, PlannedImage } from './plan.ts';

/** Blobs sent at a time, of all images: each has three chunks in memory. */
const TRANSFERS = 4;

export interface LoadOptions extends Activity {
  /** Images worked on at a time; 4 by default. */
  readonly concurrency?: number | undefined;
}

export interface LoadResult {
  /** Manifests and blobs sent or mounted this time. */
  readonly copied: number;
  /** Bytes of them. */
  readonly bytes: number;
  readonly tagged: number;
}

/** @throws BUNDLE_CORRUPT before a damaged byte is sent, and the registry's errors, each naming the image */
export async function load(
  bundle: Bundle,
  registry: Registry,
  plan: LoadPlan,
  options: LoadOptions = {},
): Promise<LoadResult> {
  const each = { concurrency: options.concurrency ?? 4, signal: options.signal };
  options.report?.({ type: 'phase', phase: `pushing to ${plan.registry.host}`, total: plan.bytesToPush });
  const progress = (bytes: number): void => options.report?.({ type: 'progress', bytes });
  const transfers = new Semaphore(TRANSFERS);
  options.report?.({ type: 'step', step: 'load:push' });
  const copies = await forEach(
    plan.images.filter((image) => image.missing.size > 0),
    (image, signal) =>
      namingTarget(image, plan, async () => {
        const target = asPlanned(registry.repository(image.repository), image);
        const copied = await copyGraph(bundle, target, image.roots, {
          transfers,
          signal,
          progress,
          report: options.report,
        });
        options.report?.({ type: 'done', what: image.source, detail: `${plan.registry.host}/${image.repository}` });
        options.report?.({ type: 'step', step: `load:image:${image.source}` });
        return copied;
      }),
    each,
  );
  options.report?.({ type: 'step', step: 'load:pushed' });
  const tagged = await forEach(
    plan.images,
    (image, signal) => namingTarget(image, plan, () => tag(registry, image, signal)),
    each,
  );
  options.report?.({ type: 'step', step: 'load:tagged' });
  return {
    copied: sum(copies.map((copy) => copy.copied)),
    bytes: sum(copies.map((copy) => copy.bytes)),
    tagged: sum(tagged),
  };
}

/** The plan has asked the registry already; it is not asked again. */
function asPlanned(repository: Target, image: PlannedImage): Target {
  return {
    exists: async (descriptor) => !image.missing.has(descriptor.digest),
    push: (descriptor, content, options) => repository.push(descriptor, content, options),
    fetch: (descriptor, options) => repository.fetch(descriptor, options),
    resolve: (reference, options) => repository.resolve(reference, options),
    tag: (descriptor, reference, options) => repository.tag(descriptor, reference, options),
  };
}

async function tag(registry: Registry, image: PlannedImage, signal: AbortSignal): Promise<number> {
  const due = image.tags.filter((planned) => planned.current !== planned.descriptor.digest);
  for (const planned of due)
    await registry.repository(image.repository).tag(planned.descriptor, planned.tag, { signal });
  return due.length;
}

async function namingTarget<T>(image: PlannedImage, plan: LoadPlan, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!isAirgapError(error)) throw error;
    throw new AirgapError(
      error.code,
      `cannot load ${image.source} into ${plan.registry.host}/${image.repository}: ${error.message}`,
      {
        cause: error,
        details: { image: image.source, target: `${plan.registry.host}/${image.repository}`, ...error.details },
        hint: error.hint ?? 'Run the same command again: what is in the registry already is not sent again.',
      },
    );
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
