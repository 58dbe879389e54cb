// The closure proof of a bundle that is there already: repeated offline, from nothing but what the bundle holds.
import type { Activity } from '../core/events.ts';
import { AirgapError } from '../core/errors.ts';
import { DOCUMENT_LIMIT } from '../bundle/document.ts';
import { heldImages, requireBlobs } from '../bundle/held-images.ts';
import { LOCK_FILE, parseLock, type Lock } from '../bundle/lock.ts';
import type { Bundle } from '../bundle/reader.ts';
import { proveClosure, type ClosureProof } from '../catalog/proof.ts';
import { readBlob } from '../oci/content.ts';

export interface BundleClosure extends ClosureProof {
  /** Version of ECK that the names are derived for; absent where the bundle was not made from the catalogue. */
  readonly eck?: string;
}

/** What of a bundle the proof reads. */
export type ReadableBundle = Pick<Bundle, 'manifest' | 'fetch' | 'hasBlob'>;

/**
 * An image that is not the one the lock pins does not count.
 * @throws BUNDLE_INCOMPLETE for a blob that is not there, BUNDLE_CORRUPT, CONFIG_INVALID for a lock of another format
 */
export async function bundleClosure(bundle: ReadableBundle, { signal }: Activity = {}): Promise<BundleClosure> {
  const lock = await readLock(bundle, signal);
  await requireBlobs(bundle, { signal });
  const pinned = new Map(lock.images.map(({ name, digest }) => [name, digest]));
  const held = await heldImages(bundle, bundle.manifest.images, { signal });
  const proof = proveClosure(
    lock,
    held.filter(({ name, digest }) => pinned.get(name) === digest),
  );
  return { ...(lock.selection === undefined ? {} : { eck: lock.selection.eck }), ...proof };
}

async function readLock(bundle: ReadableBundle, signal: AbortSignal | undefined): Promise<Lock> {
  const file = bundle.manifest.files.find(({ digest }) => digest === bundle.manifest.lock);
  if (file === undefined)
    throw new AirgapError('BUNDLE_INCOMPLETE', `the bundle does not hold its ${LOCK_FILE}`, {
      hint: 'Build the bundle again.',
    });
  const bytes = await readBlob(bundle, file, { signal, limit: DOCUMENT_LIMIT });
  return parseLock(bytes.toString('utf8'), `${LOCK_FILE} in the bundle`);
}
