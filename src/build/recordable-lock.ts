// Whether a lock can be carried for others to read: locks of older releases have queries of URLs, which may be secrets.
import { AirgapError } from '../core/errors.ts';
import { unrecordable, type Lock } from '../bundle/lock.ts';

/** @throws LOCK_STALE */
export function requireRecordable(lock: Lock): void {
  const names = unrecordable(lock);
  if (names.length === 0) return;
  throw new AirgapError('LOCK_STALE', `the lock has the query of a URL, which may be a secret: ${names.join(', ')}`, {
    hint: 'Run "eck-airgap lock" again: a URL is locked without its query now.',
    details: { names },
  });
}
