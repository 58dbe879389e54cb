// Files on web servers: download sites and chart repositories. What registries hold is repository.ts.
import type { ByteStream } from '../core/streams.ts';

export interface WebFiles {
  /**
   * A small file, whole: an index, a list of checksums.
   * @throws CONTENT_MISSING (404, 410), REGISTRY_UNREACHABLE, REGISTRY_PROTOCOL over the limit, and the errors of any request
   */
  read(url: string, options: ReadOptions): Promise<Buffer>;
  /** A file of any size. Nothing happens before the first chunk is asked for. @throws as `read`, but for the limit */
  fetch(url: string, options?: WebFetchOptions): ByteStream;
  close(): Promise<void>;
}

export interface ReadOptions {
  /** Bytes that are accepted at most. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WebFetchOptions {
  /** Bytes of the whole, where they are known: a download that breaks off is then gone on with, and never longer. */
  readonly size?: number | undefined;
  /** First byte wanted; 0 by default. */
  readonly start?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
