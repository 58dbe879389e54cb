// Content descriptors (OCI image-spec, descriptor.md), and reading what one names, verified.
import { Digester, digestOf, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { collect, type ByteStream } from '../core/streams.ts';
import type { Platform } from './platform.ts';
import type { Content, Fetcher, FetchOptions } from './target.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly artifactType?: string;
  /** Where a foreign layer may be fetched from; never with credentials. */
  readonly urls?: readonly string[];
}

/** Larger manifests are refused, as the distribution specification allows. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;

export function descriptorOf(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

export function contentOf(bytes: Uint8Array): Content {
  return {
    async *open(start) {
      if (start < bytes.byteLength) yield bytes.subarray(start);
    },
  };
}

export function digestMismatch(
  descriptor: Descriptor,
  found: { digest?: Digest; size: number },
  where = '',
): AirgapError {
  const expected = `${descriptor.digest} (${descriptor.size} bytes)`;
  const got = found.digest ? `${found.digest} (${found.size} bytes)` : `${found.size} bytes`;
  return new AirgapError(
    'DIGEST_MISMATCH',
    `${where && `${where}: `}content does not match its digest: expected ${expected}, found ${got}`,
    {
      details: { expected: { digest: descriptor.digest, size: descriptor.size }, found },
    },
  );
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
