// What accompanies an image upstream and cannot be had: listed and gone, of a type that no registry takes any more, under a
// digest that is not sha256. It is named, and the image is carried without it: a lock pins nothing that a build cannot fetch.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import type { Activity, Missing } from '../core/events.ts';
import { forEach } from '../core/pool.ts';
import type { Cache } from '../oci/cache.ts';
import { walkGraph } from '../oci/copy.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isNode } from '../oci/manifest.ts';
import type { Fetcher } from '../oci/target.ts';
import { isHttpError } from '../registry/http-error.ts';
import type { Repository } from '../registry/repository.ts';

export interface CompanionsOptions extends Activity {
  /** Name of the image. */
  readonly image: string;
  readonly repository: Repository;
  /** The repository's content; what is read is kept. */
  readonly source: Fetcher;
  readonly cache: Cache;
}

type Wanted = Pick<Missing, 'what' | 'where'>;

/** Of one image. */
export class Companions {
  readonly #options: CompanionsOptions;

  constructor(options: CompanionsOptions) {
    this.#options = options;
  }

  /** Those that can be fetched with all that is below them; each of the others is reported. */
  async fetchable<D extends Descriptor>(found: readonly D[], describe: (one: D) => Wanted): Promise<D[]> {
    const { signal } = this.#options;
    const kept = await forEach(found, (one) => this.unlessLost(describe(one), () => this.#requireFetchable(one)), {
      signal,
    });
    return found.filter((_one, i) => kept[i] !== undefined);
  }

  /** The task's result; undefined, and reported, where what it looks for cannot be had. */
  async unlessLost<T>(wanted: Wanted, task: () => Promise<T>): Promise<T | undefined> {
    try {
      return await task();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!isLost(error)) throw error;
      this.lost(wanted, error.message);
      return undefined;
    }
  }

  lost(wanted: Wanted, why: string): void {
    const { report, image } = this.#options;
    report?.({ type: 'missing', missing: { ...wanted, of: image, why } });
  }

  async #requireFetchable(root: Descriptor): Promise<true> {
    const { source, signal } = this.#options;
    const nodes = await walkGraph(source, [root], { signal });
    const leaves = nodes.filter((node) => !isNode(node));
    await forEach(leaves, (leaf, own) => this.#requireBlob(leaf, root, own), { signal });
    return true;
  }

  async #requireBlob(leaf: Descriptor, root: Descriptor, signal: AbortSignal): Promise<void> {
    const { cache, repository } = this.#options;
    if ((await cache.exists(leaf)) || (await repository.exists(leaf, { signal }))) return;
    throw leaf === root
      ? new AirgapError('MANIFEST_INVALID', `its type, ${root.mediaType}, cannot be carried`)
      : new AirgapError('CONTENT_MISSING', `${leaf.digest} of it is not there`);
  }
}

/** Whether upstream does not have this one thing, or only something that cannot be used: no later try changes that. */
function isLost(error: unknown): error is AirgapError {
  if (isHttpError(error)) return error.status < 500 && ![401, 408, 429].includes(error.status);
  return isAirgapError(error, 'CONTENT_MISSING', 'MANIFEST_INVALID', 'DIGEST_MISMATCH', 'REGISTRY_PROTOCOL');
}
