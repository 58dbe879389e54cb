// Reading with the cache in front, so each thing crosses the network once, and a later run needs no network at all for
// what is pinned.
import type { Cache } from '../oci/cache.ts';
import type { Fetcher } from '../oci/target.ts';

/** From the cache where it is there, else from its origin, which leaves the cache as it is. */
export function cacheFirst(cache: Cache, origin: Fetcher): Fetcher {
  return {
    async *fetch(descriptor, options = {}) {
      yield* (await cache.exists(descriptor)) ? cache.fetch(descriptor, options) : origin.fetch(descriptor, options);
    },
  };
}

/** What is read is kept in the cache too; for manifests and configs, which are read before their graph is copied. */
export function readThrough(cache: Cache, origin: Fetcher): Fetcher {
  return {
    async *fetch(descriptor, options = {}) {
      const { signal } = options;
      await cache.push(descriptor, { open: (start) => origin.fetch(descriptor, { start, signal }) }, { signal });
      yield* cache.fetch(descriptor, options);
    },
  };
}
