// What is damaged in the cache is dropped, to be fetched again: a bad disk, or a machine that stopped before the disk had it.
import { digestOfStream, type Digest } from '../core/digest.ts';
import type { Activity } from '../core/events.ts';
import { forEach } from '../core/pool.ts';
import type { Lock } from '../bundle/lock.ts';
import type { Cache } from '../oci/cache.ts';
import { lockedBlobs } from './lock-contents.ts';

/**
 * Drops `found`, and whatever else the lock pins that is damaged: where one thing is, others often are.
 * @throws DIGEST_MISMATCH for a damaged manifest
 */
export async function dropDamaged(found: Digest, lock: Lock, options: Activity & { cache: Cache }): Promise<void> {
  const { cache, signal, report } = options;
  const drop = async (digest: Digest): Promise<void> => {
    report?.({ type: 'warning', message: `${digest} is damaged in the cache; it is fetched again` });
    await cache.drop(digest);
  };
  await drop(found);
  const others = [...(await lockedBlobs(lock, cache, { signal })).values()].filter(({ digest }) => digest !== found);
  await forEach(
    others,
    async (blob) => {
      const found = await digestOfStream(cache.borrow(blob, { signal }));
      if (found.digest !== blob.digest) await drop(blob.digest);
    },
    { concurrency: 2, signal },
  );
}
