// Reading with the cache in front, so each thing crosses the network once, and a later run needs no network at all for
// what is pinned.
import { isAirgapError } from '../core/errors.ts';
import type { Cache } from '../oci/cache.ts';
import { borrowed, readBlob } from '../oci/content.ts';
import type { Content, Fetcher } from '../oci/target.ts';

/** From the cache where it is there, else from its origin, which leaves the cache as it is. */
export function cacheFirst(cache: Cache, origin: Fetcher): Fetcher {
  return {
    async *fetch(descriptor, options = {}) {
      yield* (await cache.exists(descriptor)) ? cache.fetch(descriptor, options) : origin.fetch(descriptor, options);
    },
    async *borrow(descriptor, options = {}) {
      yield* borrowed((await cache.exists(descriptor)) ? cache : origin, descriptor, options);
    },
  };
}

/**
 * What is read is kept in the cache too, and fetched again where it is damaged there; for manifests and configs, which are
 * read before their graph is copied. @throws MANIFEST_INVALID for what is too large to be one
 */
export function readThrough(cache: Cache, origin: Fetcher): Fetcher {
  return {
    async *fetch(descriptor, options = {}) {
      const { start = 0, signal } = options;
      const read = async (): Promise<Buffer> => {
        const content: Content = {
          open: (from) => origin.fetch(descriptor, { start: from, signal }),
          borrow: (from) => borrowed(origin, descriptor, { start: from, signal }),
        };
        await cache.push(descriptor, content, { signal });
        return readBlob(cache, descriptor, { signal });
      };
      const bytes = await read().catch(async (error: unknown) => {
        if (!isAirgapError(error, 'DIGEST_MISMATCH')) throw error;
        await cache.drop(descriptor.digest);
        return read();
      });
      yield bytes.subarray(start);
    },
  };
}
