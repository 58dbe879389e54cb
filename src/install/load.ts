// `load`: exactly what the plan says, in an order in which a crash leaves nothing that looks whole and is not: blobs, child
// manifests, indexes, then what refers to them, and tags last. What the registry refuses of signatures and attestations is
// named in the result; the image is loaded without it.
import type { Digest } from '../core/digest.ts';
import type { Activity, Missing } from '../core/events.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { forEach, Semaphore } from '../core/pool.ts';
import type { Bundle } from '../bundle/reader.ts';
import { copyGraph, walkGraph, type CopyOptions } from '../oci/copy.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Target } from '../oci/target.ts';
import { isHttpError } from '../registry/http-error.ts';
import type { Registry } from '../registry/registry.ts';
import type { LoadPlan, PlannedImage, PlannedTag } from './plan.ts';

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
  /** What accompanies images and was refused. */
  readonly missing: readonly Missing[];
}

/** @throws BUNDLE_CORRUPT before a damaged byte is sent, and the registry's errors, each naming the image */
export async function load(
  bundle: Bundle,
  registry: Registry,
  plan: LoadPlan,
  options: LoadOptions = {},
): Promise<LoadResult> {
  const { signal, report } = options;
  const each = { concurrency: options.concurrency ?? 4, signal };
  report?.({ type: 'phase', phase: `pushing to ${plan.registry.host}`, total: plan.bytesToPush });
  const progress = (bytes: number): void => report?.({ type: 'progress', bytes });
  const transfers = new Semaphore(TRANSFERS);
  const loads = plan.images.map((image) => new ImageLoad(image, { bundle, registry, plan }));
  report?.({ type: 'step', step: 'load:push' });
  await forEach(
    loads.filter(({ image }) => image.missing.size > 0),
    async (one, own) => {
      await one.push({ transfers, signal: own, progress, report });
      report?.({ type: 'done', what: one.image.source, detail: `${plan.registry.host}/${one.image.repository}` });
      report?.({ type: 'step', step: `load:image:${one.image.source}` });
    },
    each,
  );
  report?.({ type: 'step', step: 'load:pushed' });
  await forEach(loads, (one, own) => one.setTags(own), each);
  report?.({ type: 'step', step: 'load:tagged' });
  return {
    copied: sum(loads.map((one) => one.copied)),
    bytes: sum(loads.map((one) => one.bytes)),
    tagged: sum(loads.map((one) => one.tagged)),
    missing: loads.flatMap((one) => one.refused),
  };
}

interface Place {
  readonly bundle: Bundle;
  readonly registry: Registry;
  readonly plan: LoadPlan;
}

/** An image on its way into its repository. */
class ImageLoad {
  readonly image: PlannedImage;
  readonly refused: Missing[] = [];
  copied = 0;
  bytes = 0;
  tagged = 0;
  readonly #place: Place;
  readonly #where: string;
  /** Companions that the registry has. */
  readonly #there: Set<Digest>;
  /** What the repository lacks still. */
  readonly #missing: Set<Digest>;

  constructor(image: PlannedImage, place: Place) {
    this.image = image;
    this.#place = place;
    this.#where = `${place.plan.registry.host}/${image.repository}`;
    this.#missing = new Set(image.missing);
    this.#there = new Set(image.companions.map(({ descriptor }) => descriptor.digest));
  }

  /** An index is pushed without the attestations that are refused of it, where the registry takes it so. */
  async push(options: CopyOptions): Promise<void> {
    for (const child of this.image.attestations)
      if (!(await this.#pushUnlessRefused('attestation', child, options))) await this.#giveUp(child, options);
    await this.#named(() => this.#copy(this.image.root, options));
    for (const { what, descriptor } of this.image.companions)
      if (!(await this.#pushUnlessRefused(what, descriptor, options))) this.#there.delete(descriptor.digest);
  }

  async setTags(signal: AbortSignal): Promise<void> {
    await this.#named(() => this.#setTag(this.image.tag, signal));
    for (const { what, descriptor, tag } of this.image.companions) {
      if (tag === undefined || !this.#there.has(descriptor.digest)) continue;
      await this.#unlessRefused({ what, where: `${this.#where}:${tag.tag}` }, () => this.#setTag(tag, signal));
    }
  }

  #pushUnlessRefused(what: string, descriptor: Descriptor, options: CopyOptions): Promise<boolean> {
    const where = `${this.#where}@${descriptor.digest}`;
    return this.#unlessRefused({ what, where }, () => this.#copy(descriptor, options));
  }

  async #copy(root: Descriptor, options: CopyOptions): Promise<void> {
    const { bundle, registry } = this.#place;
    const target = asPlanned(registry.repository(this.image.repository, 'push'), this.#missing);
    const { copied, bytes } = await copyGraph(bundle, target, [root], options);
    this.copied += copied;
    this.bytes += bytes;
  }

  async #setTag({ tag, current, descriptor }: PlannedTag, signal: AbortSignal): Promise<void> {
    if (current === descriptor.digest) return;
    await this.#place.registry.repository(this.image.repository, 'push').tag(descriptor, tag, { signal });
    this.tagged++;
  }

  /** Its parent is pushed as if it were there. */
  async #giveUp(child: Descriptor, { signal }: CopyOptions): Promise<void> {
    for (const { digest } of await walkGraph(this.#place.bundle, [child], { signal })) this.#missing.delete(digest);
  }

  /** False when the registry does not take it, which is noted. */
  async #unlessRefused(wanted: Pick<Missing, 'what' | 'where'>, task: () => Promise<void>): Promise<boolean> {
    try {
      await this.#named(task);
      return true;
    } catch (error) {
      if (!isRefused(error)) throw error;
      const why = `the registry refuses it: ${(error.cause as Error).message}`;
      this.refused.push({ ...wanted, of: this.image.source, why });
      return false;
    }
  }

  async #named(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (!isAirgapError(error)) throw error;
      throw new AirgapError(error.code, `cannot load ${this.image.source} into ${this.#where}: ${error.message}`, {
        cause: error,
        details: { image: this.image.source, target: this.#where, ...error.details },
        hint: error.hint ?? (canPass(error) ? RUN_AGAIN : undefined),
      });
    }
  }
}

const RUN_AGAIN = 'Run the same command again: what is in the registry already is not sent again.';

/** The plan has asked the registry already; it is not asked again. */
function asPlanned(repository: Target, missing: Set<Digest>): Target {
  return {
    exists: async (descriptor) => !missing.has(descriptor.digest),
    push: async (descriptor, content, options) => {
      await repository.push(descriptor, content, options);
      missing.delete(descriptor.digest);
    },
    fetch: (descriptor, options) => repository.fetch(descriptor, options),
    resolve: (reference, options) => repository.resolve(reference, options),
    tag: (descriptor, reference, options) => repository.tag(descriptor, reference, options),
  };
}

/** Whether the registry said no to this one thing, rather than to us or to everything. */
function isRefused(error: unknown): error is AirgapError {
  const cause = error instanceof AirgapError ? error.cause : undefined;
  return isHttpError(cause) ? ![401, 429].includes(cause.status) : isAirgapError(cause, 'REGISTRY_PROTOCOL');
}

/** Whether the same request can succeed at another time. */
function canPass(error: AirgapError): boolean {
  return isHttpError(error)
    ? error.status >= 500 || error.status === 429
    : isAirgapError(error, 'REGISTRY_UNREACHABLE', 'PROXY_FAILED', 'REGISTRY_RATE_LIMITED');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
