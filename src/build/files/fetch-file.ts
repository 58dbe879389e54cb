// A locked file into the cache: from where the lock says, and only as what the lock says.
import { resolve } from 'node:path';
import { AirgapError } from '../../core/errors.ts';
import type { LockedFile } from '../../bundle/lock.ts';
import type { Cache } from '../../oci/cache.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Content, PushOptions } from '../../oci/target.ts';
import type { WebFiles } from '../../registry/web-files.ts';
import { notAsLocked } from '../not-as-locked.ts';
import { FILE_MEDIA_TYPE } from './content.ts';
import { readLocal } from './local.ts';
import { namingFile } from './naming.ts';

export interface FetchFileOptions extends PushOptions {
  readonly cache: Pick<Cache, 'push'>;
  readonly web: WebFiles;
  /** The folder that relative paths start from. */
  readonly folder: string;
}

/** As the bundle holds it. */
export function fileDescriptor({ digest, size }: Pick<LockedFile, 'digest' | 'size'>): Descriptor {
  return { mediaType: FILE_MEDIA_TYPE, digest, size };
}

/**
 * Goes on with what an earlier run left of it; what is in the cache costs no request.
 * @throws DIGEST_MISMATCH when it is no longer what was locked, CONTENT_MISSING or FILE_NOT_FOUND when it is gone, and what
 * `WebFiles` fails with, each naming the file
 */
export async function fetchFile(file: LockedFile, options: FetchFileOptions): Promise<void> {
  const { cache, signal, progress } = options;
  await namingFile(file, async () => {
    try {
      await cache.push(fileDescriptor(file), contentAt(file, options), { signal, progress });
    } catch (error) {
      throw notAsLocked(error, file, 'file');
    }
  });
}

function contentAt({ url, path, size }: LockedFile, { web, folder, signal }: FetchFileOptions): Content {
  if (url !== undefined) return { open: (start) => web.fetch(url, { size, start, signal }) };
  if (path !== undefined) return { open: (start) => readLocal(resolve(folder, path), { start, signal }) };
  throw new AirgapError('CONFIG_INVALID', 'the lock has neither a "url" nor a "path" of it', {
    hint: 'Run "eck-airgap lock" again; a lock is not edited by hand.',
  });
}
