// The files of a bundle for the lock: each read where it is, checked against what vouches for it, and searched for the
// images that it names.
import type { Activity } from '../../core/events.ts';
import { forEach } from '../../core/pool.ts';
import { recordedUrl, type LockedFile } from '../../bundle/lock.ts';
import {
  contentReader,
  MANIFEST_FILE_LIMIT,
  SMALL_FILE_LIMIT,
  type ContentReader,
  type ContentReaderOptions,
} from './content.ts';
import { unlessGone, type GoneOptions } from '../gone.ts';
import { checkLicence } from './licence.ts';
import { namedImages, type ImagesIn } from './named-images.ts';
import { namingFile } from './naming.ts';
import { vouch } from './vouch.ts';
import type { WantedFile } from './wanted-files.ts';

export interface LockFilesOptions extends ContentReaderOptions, GoneOptions, Activity {
  readonly imagesIn: ImagesIn;
  /** Files worked on at a time; 6 by default. */
  readonly concurrency?: number;
}

/** Bytes of those that are small, at most. */
const LIMITS: Partial<Readonly<Record<WantedFile['kind'], number>>> = {
  manifest: MANIFEST_FILE_LIMIT,
  checksums: SMALL_FILE_LIMIT,
  key: SMALL_FILE_LIMIT,
};

/**
 * What is downloaded is in the cache afterwards, but for local files, which `build` puts there.
 * @throws CONTENT_MISSING, FILE_NOT_FOUND, DIGEST_MISMATCH, SIGNATURE_INVALID, CONFIG_INVALID and what `WebFiles` fails with,
 * each naming the file
 */
export async function lockFiles(files: readonly WantedFile[], options: LockFilesOptions): Promise<LockedFile[]> {
  const read = contentReader(options);
  const { concurrency = 6, signal: outer, report } = options;
  const locked = await forEach(
    files,
    async (file, signal) => {
      const lock = (): Promise<LockedFile> => namingFile(file, () => lockFile(file, read, { ...options, signal }));
      const found = await unlessGone(file.name, lock, options);
      if (found === undefined) return [];
      report?.({ type: 'done', what: file.name, detail: found.digest });
      return [found];
    },
    { concurrency, signal: outer },
  );
  return locked.flat();
}

async function lockFile(file: WantedFile, read: ContentReader, options: LockFilesOptions): Promise<LockedFile> {
  const { signal } = options;
  const { name, url, path, use } = file;
  const content = await read(file, { limit: LIMITS[file.kind], signal });
  const verified = await vouch(file, content, { read, signal });
  if (file.kind === 'licence') await checkLicence(content);
  const { images, unread } = await namedImages(file, content, options);
  return {
    name,
    ...(url === undefined ? {} : recordedUrl(url)),
    ...(path === undefined ? {} : { path }),
    digest: content.descriptor.digest,
    size: content.descriptor.size,
    verified,
    ...(use === undefined ? {} : { uses: [use] }),
    ...(images.length === 0 ? {} : { images: [...images] }),
    ...(unread.length === 0 ? {} : { unread: [...unread] }),
  };
}
