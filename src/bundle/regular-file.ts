// Opening what must be a regular file: read-only, without being led elsewhere by a link, or made to wait by a pipe.
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { AirgapError, fileError, systemErrorCode } from '../core/errors.ts';

export interface RegularFileOptions {
  /** A person may name a bundle by a link to it; inside an unpacked bundle there are none. */
  readonly followLinks: boolean;
}

/** @throws BUNDLE_CORRUPT when it is something else, FILE_NOT_FOUND, IO_FAILED */
export async function openRegularFile(
  path: string,
  options: RegularFileOptions,
): Promise<{ file: FileHandle; size: number }> {
  // Windows has neither flag
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants as Partial<typeof constants> & { O_RDONLY: number };
  let file: FileHandle | undefined;
  try {
    file = await open(path, O_RDONLY | O_NONBLOCK | (options.followLinks ? 0 : O_NOFOLLOW));
    const info = await file.stat();
    if (info.isFile()) return { file, size: info.size };
  } catch (error) {
    await file?.close();
    if (systemErrorCode(error) === 'ELOOP') throw notRegular(path);
    throw fileError(error, 'read', path);
  }
  await file.close();
  throw notRegular(path);
}

function notRegular(path: string): AirgapError {
  return new AirgapError('BUNDLE_CORRUPT', `${path} is not a regular file`, { details: { file: path } });
}
