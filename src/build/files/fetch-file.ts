// A locked file into the cache: from where the lock says, and only as what the lock says.
import type { LockedFile } from '../../bundle/lock.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { fetchPlace, type FetchPlaceContext } from '../fetch-place.ts';
import { FILE_MEDIA_TYPE } from './content.ts';
import { namingFile } from './naming.ts';

/** As the bundle holds it. */
export function fileDescriptor({ digest, size }: Pick<LockedFile, 'digest' | 'size'>): Descriptor {
  return { mediaType: FILE_MEDIA_TYPE, digest, size };
}

/** @throws what `fetchPlace` fails with, naming the file */
export async function fetchFile(file: LockedFile, context: FetchPlaceContext): Promise<void> {
  const { url, path } = file;
  const fullUrl = file.queryWithheld === true ? () => context.urls.file(file) : undefined;
  await namingFile(file, () => fetchPlace(fileDescriptor(file), { what: 'file', url, path, fullUrl }, context));
}
