// A target in memory: for tests, the demo, and whatever is small.
import type { Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { collect } from '../core/streams.ts';
import { verified } from './content.ts';
import type { Descriptor } from './descriptor.ts';
import type { Target } from './target.ts';

export interface MemoryTarget extends Target {
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  readonly tags: ReadonlyMap<string, Descriptor>;
}

export function memoryTarget(): MemoryTarget {
  const blobs = new Map<Digest, Uint8Array>();
  const tags = new Map<string, Descriptor>();
  const mediaTypes = new Map<Digest, string>();
  return {
    blobs,
    tags,
    async *fetch(descriptor, options = {}) {
      const bytes = blobs.get(descriptor.digest);
      if (!bytes) throw missing(descriptor.digest);
      options.signal?.throwIfAborted();
      yield bytes.subarray(options.start ?? 0);
    },
    async resolve(reference) {
      const tagged = tags.get(reference);
      if (tagged) return tagged;
      const bytes = blobs.get(reference as Digest);
      const mediaType = mediaTypes.get(reference as Digest);
      if (!bytes || mediaType === undefined) throw missing(reference);
      return { mediaType, digest: reference as Digest, size: bytes.byteLength };
    },
    async exists(descriptor) {
      return blobs.has(descriptor.digest);
    },
    async push(descriptor, content, options = {}) {
      if (blobs.has(descriptor.digest)) return;
      blobs.set(descriptor.digest, await collect(verified(content.open(0), descriptor), descriptor.size));
      mediaTypes.set(descriptor.digest, descriptor.mediaType);
      options.progress?.(descriptor.size);
    },
    async tag(descriptor, reference) {
      if (!blobs.has(descriptor.digest)) throw missing(descriptor.digest);
      tags.set(reference, descriptor);
    },
  };
}

function missing(what: string): AirgapError {
  return new AirgapError('CONTENT_MISSING', `${what} is not there`);
}
