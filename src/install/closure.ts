// The closure proof of a bundle that is there already: repeated offline, from nothing but what the bundle holds.
import type { Activity } from '../core/events.ts';
import { heldImages, requireBlobs } from '../bundle/held-images.ts';
import { readHeldLock } from '../bundle/held-lock.ts';
import type { Bundle } from '../bundle/reader.ts';
import { proveClosure, type ClosureProof } from '../catalog/proof.ts';

export interface BundleClosure extends ClosureProof {
  /** Version of ECK that the names are derived for; absent where the bundle was not made from the catalogue. */
  readonly eck?: string;
  /** Files and charts that the lock says were not read for images, and why: what they name may be missing. */
  readonly unread: readonly { readonly name: string; readonly why: readonly string[] }[];
}

/** What of a bundle the proof reads. */
export type ReadableBundle = Pick<Bundle, 'manifest' | 'fetch' | 'hasBlob'>;

/**
 * An image that is not the one the lock pins does not count.
 * @throws BUNDLE_INCOMPLETE for a blob that is not there, BUNDLE_CORRUPT, CONFIG_INVALID for a lock of another format
 */
export async function bundleClosure(bundle: ReadableBundle, { signal }: Activity = {}): Promise<BundleClosure> {
  const lock = await readHeldLock(bundle, { signal });
  await requireBlobs(bundle, { signal });
  const pinned = new Map(lock.images.map(({ name, digest }) => [name, digest]));
  const held = await heldImages(bundle, bundle.manifest.images, { signal });
  const proof = proveClosure(
    lock,
    held.filter(({ name, digest }) => pinned.get(name) === digest),
  );
  const unread = [...lock.images, ...lock.files].flatMap(({ name, unread: why = [] }) =>
    why.length === 0 ? [] : [{ name, why }],
  );
  return { ...(lock.selection === undefined ? {} : { eck: lock.selection.eck }), ...proof, unread };
}
