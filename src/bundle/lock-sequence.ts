// The number of a lock, which becomes the `sequence` of the bundles that are built from it.
import { encodeLock, type Lock } from './lock.ts';

export interface LockSequenceOptions {
  /** The lock that this one takes the place of. */
  readonly earlier?: Lock | undefined;
  /** The number that a person wants. */
  readonly sequence?: number | undefined;
  /** Seconds since 1970, where they are given from outside. */
  readonly sourceDateEpoch?: number | undefined;
}

/** The lock with its number: it grows with each lock that says something else, and stays where nothing changed. */
export function withSequence(lock: Lock, options: LockSequenceOptions): Lock {
  return { ...lock, sequence: nextSequence(lock, options) };
}

function nextSequence(lock: Lock, { earlier, sequence, sourceDateEpoch }: LockSequenceOptions): number {
  if (sequence !== undefined) return sequence;
  const before = earlier?.sequence;
  if (earlier === undefined || before === undefined) return sourceDateEpoch ?? 1;
  if (encodeLock({ ...lock, sequence: before }).equals(encodeLock(earlier))) return before;
  return Math.max(Math.min(before + 1, Number.MAX_SAFE_INTEGER), sourceDateEpoch ?? 0);
}
