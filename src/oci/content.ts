// Content by descriptor: reading what one names, verified, and offering bytes as content.
import { Digester } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { collect, lent, type BorrowedStream, type ByteStream } from '../core/streams.ts';
import { digestMismatch, type Descriptor } from './descriptor.ts';
import type { Content, Fetcher, FetchOptions } from './target.ts';

/** Larger manifests are refused, as the distribution specification allows. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;

export function contentOf(bytes: Uint8Array): Content {
  return {
    async *open(start) {
      if (start < bytes.byteLength) yield bytes.subarray(start);
    },
  };
}

/** What a descriptor names, for who moves it or hashes it and keeps nothing. @throws as `fetch` */
export function borrowed(source: Fetcher, descriptor: Descriptor, options?: FetchOptions): BorrowedStream {
  return source.borrow?.(descriptor, options) ?? lent(source.fetch(descriptor, options));
}

/** Content from `start` on, for who moves it or hashes it and keeps nothing. */
export function borrowedContent(content: Content, start: number): BorrowedStream {
  return content.borrow?.(start) ?? lent(content.open(start));
}

/**
 * Passes a stream on and fails at its end, or as soon as it is too long, when it is not the described content. Only for
 * consumers that commit after the end.
 */
export async function* verified(
  stream: ByteStream,
  descriptor: Descriptor,
  digester = new Digester(),
): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    if (digester.size + chunk.byteLength > descriptor.size) {
      throw digestMismatch(descriptor, { size: digester.size + chunk.byteLength });
    }
    digester.update(chunk);
    yield chunk;
  }
  const size = digester.size;
  const digest = digester.digest();
  if (digest !== descriptor.digest || size !== descriptor.size) throw digestMismatch(descriptor, { digest, size });
}

/** Reads a manifest or config, whole and verified. @throws MANIFEST_INVALID over the limit, DIGEST_MISMATCH. */
export async function readBlob(
  source: Fetcher,
  descriptor: Descriptor,
  options: FetchOptions & { limit?: number } = {},
): Promise<Buffer> {
  const limit = options.limit ?? MANIFEST_LIMIT;
  if (descriptor.size > limit) {
    throw new AirgapError(
      'MANIFEST_INVALID',
      `${descriptor.digest} has ${descriptor.size} bytes; at most ${limit} are accepted for ${descriptor.mediaType}`,
    );
  }
  return collect(verified(source.fetch(descriptor, options), descriptor), limit);
}
