// `lock --check`: everything resolved again, and what is published now held against what the lock pins.
import type { AirgapError, ErrorCode } from '../core/errors.ts';
import { differenceOf, type Difference } from '../bundle/difference.ts';
import type { Lock } from '../bundle/lock.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import { lockContents } from './lock-contents.ts';
import { makeLock, type MakeLockOptions } from './make-lock.ts';

export interface Gone {
  readonly name: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface LockCheck extends Difference {
  /** What the lock pins and upstream has no more; by name. */
  readonly gone: readonly Gone[];
}

/**
 * What a lock made now would say otherwise; nothing is written but manifests into the cache.
 * @param lock made from the same specification
 * @throws as `makeLock`, but for what the lock pins and upstream has no more
 */
export async function checkLock(
  spec: BundleSpec,
  lock: Lock,
  options: Omit<MakeLockOptions, 'onGone'>,
): Promise<LockCheck> {
  const pinned = new Set([...lock.images, ...lock.files].map(({ name }) => name));
  const gone: Gone[] = [];
  const onGone = (name: string, error: AirgapError): void => {
    if (!pinned.has(name)) throw error;
    gone.push({ name, code: error.code, message: error.message });
  };
  const now = await makeLock(spec, { ...options, onGone });
  const difference = differenceOf(
    await lockContents(lock, options.cache, options),
    await lockContents(now, options.cache, options),
  );
  return { ...difference, gone: gone.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}
