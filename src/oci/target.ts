// The small interfaces that every medium implements: a registry repository, the cache, a bundle, memory. Pull and push
// are the same code because both sides of a copy are only this.
import type { BorrowedStream, ByteStream } from '../core/streams.ts';
import type { Descriptor } from './descriptor.ts';

export interface FetchOptions {
  /** First byte wanted; 0 by default. */
  readonly start?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Fetcher {
  /**
   * The bytes a descriptor names, from `start` on. Nothing happens before the first chunk is asked for. What is
   * fetched is not yet verified: whoever commits it verifies it. @throws CONTENT_MISSING when it is not there.
   */
  fetch(descriptor: Descriptor, options?: FetchOptions): ByteStream;
  /** The same bytes in memory that the medium uses again, where it has such: `borrowed` (content.ts) is how to ask for it. */
  borrow?(descriptor: Descriptor, options?: FetchOptions): BorrowedStream;
}

export interface Resolver {
  /**
   * The descriptor a tag, a digest or (in media that hold several repositories) a full reference stands for.
   * @throws CONTENT_MISSING when there is none.
   */
  resolve(reference: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<Descriptor>;
}

export interface Source extends Fetcher, Resolver {}

/** Content that can be opened again from any byte, so that a transfer can resume. */
export interface Content {
  open(start: number): ByteStream;
  /** The same bytes in memory that is used again, where there is such: `borrowedContent` (content.ts) is how to ask for it. */
  borrow?(start: number): BorrowedStream;
}

export interface PushOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of bytes newly stored, each once, retries left out; a mount or an existing blob tells none. */
  readonly progress?: ((bytes: number) => void) | undefined;
}

/** Content-addressed storage: bytes by digest, without names. */
export interface Store extends Fetcher {
  /** Whether the medium holds this content itself. */
  exists(descriptor: Descriptor, options?: { readonly signal?: AbortSignal | undefined }): Promise<boolean>;
  /**
   * Stores content under its digest; what does not match the descriptor's digest and size is never committed
   * (DIGEST_MISMATCH). Content that is there already is success.
   */
  push(descriptor: Descriptor, content: Content, options?: PushOptions): Promise<void>;
}

export interface Target extends Store, Resolver {
  /** Makes `reference` name a manifest that is already there. */
  tag(
    descriptor: Descriptor,
    reference: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
}

/** Media that know which manifests refer to a subject (distribution-spec, listing referrers). */
export interface ReferrerLister {
  referrers(subject: Descriptor, options?: { readonly signal?: AbortSignal | undefined }): Promise<Descriptor[]>;
}
