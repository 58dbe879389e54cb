// WebFiles in a few lines, without retries, proxies and credentials; and a cache that takes content of unknown digest whole.
import { AirgapError } from '../../src/core/errors.ts';
import { collect, type ByteStream } from '../../src/core/streams.ts';
import type { FileCache } from '../../src/build/files/content.ts';
import type { Cache } from '../../src/oci/cache.ts';
import { contentOf } from '../../src/oci/content.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import type { WebFiles } from '../../src/registry/web-files.ts';

export function plainWebFiles(mirrors: Readonly<Record<string, string>>): WebFiles {
  async function* get(url: string, start = 0): AsyncGenerator<Uint8Array> {
    const { host, pathname, search } = new URL(url);
    const mirror = mirrors[host];
    if (mirror === undefined) throw new AirgapError('INTERNAL', `a test asked for ${url}, which has no mirror`);
    const range = start > 0 ? { range: `bytes=${start}-` } : {};
    const response = await fetch(`${mirror}${pathname}${search}`, { headers: range });
    if (response.status === 404)
      throw new AirgapError('CONTENT_MISSING', `${url}: ${mirror}${pathname} does not exist`);
    if (response.body !== null) yield* response.body as AsyncIterable<Uint8Array>;
  }
  return {
    read: (url, { limit }) => collect(get(url), limit),
    fetch: (url, { start } = {}) => get(url, start),
    close: async () => undefined,
  };
}

export function withAdding(cache: Cache): Cache & FileCache {
  const add = async (stream: ByteStream) => {
    const bytes = await collect(stream, 1e9);
    const descriptor = descriptorOf(bytes, 'application/octet-stream');
    await cache.push(descriptor, contentOf(bytes));
    return descriptor;
  };
  return { ...cache, add };
}
