// What is at a URL or path right now: its digest and size, and where to read it again. What is downloaded is kept in the
// cache, each URL asked for once; local files stay where they are.
import { resolve } from 'node:path';
import { digestOfStream } from '../../core/digest.ts';
import { borrowFileRange, readFileRange } from '../../core/named-file.ts';
import type { Cache } from '../../oci/cache.ts';
import { contentOf, readBlob } from '../../oci/content.ts';
import { descriptorOf, type Descriptor } from '../../oci/descriptor.ts';
import type { Fetcher } from '../../oci/target.ts';
import type { WebFiles } from '../../registry/web-files.ts';
import type { Place } from './wanted-files.ts';

export const FILE_MEDIA_TYPE = 'application/octet-stream';

/** Manifests are never larger; bytes. */
export const MANIFEST_FILE_LIMIT = 16 * 1024 * 1024;
/** Keys, licences and lists of checksums are never larger; bytes. */
export const SMALL_FILE_LIMIT = 1024 * 1024;

export interface FileContent {
  readonly descriptor: Descriptor;
  /** Where it can be read again. */
  readonly source: Fetcher;
}

export interface ReadOptions {
  /** For a small file: bytes that are accepted at most. It is read whole; without it, it is streamed. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type ContentReader = (place: Place, options?: ReadOptions) => Promise<FileContent>;

export interface ContentReaderOptions {
  readonly cache: Pick<Cache, 'add' | 'fetch' | 'push' | 'requireRoom'>;
  readonly web: WebFiles;
  /** The folder that relative paths start from. */
  readonly folder: string;
}

/** A reader throws CONTENT_MISSING, FILE_NOT_FOUND and what `WebFiles` fails with. */
export function contentReader({ cache, web, folder }: ContentReaderOptions): ContentReader {
  const downloads = new Map<string, Promise<FileContent>>();
  return ({ url, path = '' }, options = {}) => {
    if (url === undefined) return localContent(resolve(folder, path), options);
    const known = downloads.get(url);
    if (known !== undefined) return known;
    const started = download(url, { ...options, cache, web });
    downloads.set(url, started);
    return started;
  };
}

/** Whole. @throws DIGEST_MISMATCH where it changed meanwhile, MANIFEST_INVALID over the limit */
export function bytesOf({ descriptor, source }: FileContent, options: { limit: number }): Promise<Buffer> {
  return readBlob(source, descriptor, options);
}

/** Whole, as UTF-8. @throws as `bytesOf` */
export async function textOf(content: FileContent, options: { limit: number }): Promise<string> {
  return new TextDecoder().decode(await bytesOf(content, options));
}

async function download(
  url: string,
  { cache, web, limit, signal }: ReadOptions & Pick<ContentReaderOptions, 'cache' | 'web'>,
): Promise<FileContent> {
  if (limit === undefined) {
    const announced = (size: number): Promise<void> => cache.requireRoom(size);
    const { digest, size } = await cache.add(web.borrow(url, { announced, signal }), { signal });
    return { descriptor: { mediaType: FILE_MEDIA_TYPE, digest, size }, source: cache };
  }
  const bytes = await web.read(url, { limit, signal });
  const descriptor = descriptorOf(bytes, FILE_MEDIA_TYPE);
  const content = contentOf(bytes);
  await cache.push(descriptor, content, { signal });
  return { descriptor, source: { fetch: (_, { start = 0 } = {}) => content.open(start) } };
}

async function localContent(path: string, { signal }: ReadOptions): Promise<FileContent> {
  const found = await digestOfStream(borrowFileRange(path, { signal }));
  return {
    descriptor: { mediaType: FILE_MEDIA_TYPE, ...found },
    source: { fetch: (_, { start, signal: other } = {}) => readFileRange(path, { start, signal: other }) },
  };
}
