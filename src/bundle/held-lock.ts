// The lock that a bundle holds: what it was made from.
import type { Activity } from '../core/events.ts';
import { AirgapError } from '../core/errors.ts';
import { readBlob } from '../oci/content.ts';
import { DOCUMENT_LIMIT } from './document.ts';
import { LOCK_FILE, parseLock, type Lock } from './lock.ts';
import type { Bundle } from './reader.ts';

/** @throws BUNDLE_INCOMPLETE, BUNDLE_CORRUPT, CONFIG_INVALID for a lock of another format */
export async function readHeldLock(
  bundle: Pick<Bundle, 'manifest' | 'fetch'>,
  { signal }: Activity = {},
): Promise<Lock> {
  const file = bundle.manifest.files.find(({ digest }) => digest === bundle.manifest.lock);
  if (file === undefined)
    throw new AirgapError('BUNDLE_INCOMPLETE', `the bundle does not hold its ${LOCK_FILE}`, {
      hint: 'Build the bundle again.',
    });
  const bytes = await readBlob(bundle, file, { signal, limit: DOCUMENT_LIMIT });
  return parseLock(bytes.toString('utf8'), `${LOCK_FILE} in the bundle`);
}
