// Web servers that are a map of addresses to contents, with what was asked of them.
import { AirgapError } from '../../src/core/errors.ts';
import { lent } from '../../src/core/streams.ts';
import type { WebFetchOptions, WebFiles } from '../../src/registry/web-files.ts';

export interface MapWebFiles extends WebFiles {
  readonly contents: Map<string, Buffer>;
  /** Addresses asked for, in their order. */
  readonly requests: string[];
}

export function mapWebFiles(contents: Readonly<Record<string, Buffer | string>> = {}): MapWebFiles {
  const map = new Map(Object.entries(contents).map(([url, content]) => [url, Buffer.from(content)]));
  const requests: string[] = [];
  const get = (url: string): Buffer => {
    requests.push(url);
    const found = map.get(url);
    if (!found) throw new AirgapError('CONTENT_MISSING', `${url} does not exist`);
    return found;
  };
  const fetch = async function* (url: string, { start = 0 }: WebFetchOptions = {}): AsyncGenerator<Buffer> {
    const content = get(url);
    for (let at = start; at < content.byteLength; at += 1000) yield content.subarray(at, at + 1000);
  };
  return {
    contents: map,
    requests,
    read: async (url, { limit }) => {
      const content = get(url);
      if (content.byteLength > limit) throw new AirgapError('REGISTRY_PROTOCOL', `${url} has more than ${limit} bytes`);
      return content;
    },
    fetch,
    borrow: (url, how) => lent(fetch(url, how)),
    close: async () => undefined,
  };
}
