// Reading through the cache: what is not there yet is fetched from its origin and kept, so each thing crosses the network
// once, and a later run needs no network at all for what is pinned.
import type { Cache } from '../oci/cache.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Content, Fetcher } from '../oci/target.ts';

export function readThrough(cache: Cache, origin: Fetcher): Fetcher {
  return {
    async *fetch(descriptor, options = {}) {
      if (!(await cache.exists(descriptor))) await cache.push(descriptor, contentFrom(origin, descriptor, options.signal), options);
      yield* cache.fetch(descriptor, options);
    },
  };
}

/** Content that is opened at its origin, from any byte. */
export function contentFrom(origin: Fetcher, descriptor: Descriptor, signal?: AbortSignal): Content {
  return { open: (start) => origin.fetch(descriptor, { start, signal }) };
}
