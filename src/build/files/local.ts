// Files of the user's on disk, as streams.
import { open } from 'node:fs/promises';
import { fileError } from '../../core/errors.ts';
import { readRange, type ByteStream } from '../../core/streams.ts';
import type { FetchOptions } from '../../oci/target.ts';

/** @throws FILE_NOT_FOUND, IO_FAILED */
export async function* readLocal(
  path: string,
  { start, signal }: Pick<FetchOptions, 'start' | 'signal'> = {},
): ByteStream & AsyncGenerator<Uint8Array> {
  let file;
  try {
    file = await open(path);
    yield* readRange(file, { start, signal });
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    await file?.close();
  }
}
