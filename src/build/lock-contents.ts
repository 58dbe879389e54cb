// What a lock pins, with all its blobs, which it does not list itself: they follow from its manifests.
import type { Digest } from '../core/digest.ts';
import { isAirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { contentsOfLock, type Contents } from '../bundle/contents.ts';
import type { Lock } from '../bundle/lock.ts';
import type { Identity } from '../oci/cache.ts';
import { walkGraph } from '../oci/copy.ts';
import type { Fetcher } from '../oci/target.ts';
import { roots } from './fetch.ts';

/**
 * Every blob of images and files, each once. Manifests are read from `source`; blobs are only named.
 * @throws CONTENT_MISSING when it lacks a manifest, DIGEST_MISMATCH, MANIFEST_INVALID
 */
export async function lockedBlobs(
  lock: Pick<Lock, 'images' | 'files'>,
  source: Fetcher,
  { signal }: Activity = {},
): Promise<Map<Digest, Identity>> {
  const graph = await walkGraph(source, lock.images.flatMap(roots), { signal });
  const originals = lock.images.flatMap(({ original }) => (original ? [original] : []));
  return new Map(
    [...lock.files, ...graph, ...originals].map(({ digest, size }): [Digest, Identity] => [digest, { digest, size }]),
  );
}

/** With blobs where `cache` holds every manifest, as `lock` leaves it; never fails for what is not there, or damaged. */
export async function lockContents(lock: Lock, cache: Fetcher | undefined, activity: Activity = {}): Promise<Contents> {
  if (cache === undefined) return contentsOfLock(lock);
  try {
    const blobs = await lockedBlobs(lock, cache, activity);
    return contentsOfLock(lock, new Map([...blobs].map(([digest, { size }]) => [digest, size])));
  } catch (error) {
    if (!isAirgapError(error, 'CONTENT_MISSING', 'DIGEST_MISMATCH')) throw error;
    return contentsOfLock(lock);
  }
}
