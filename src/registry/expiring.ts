// A value that is made when it is asked for and believed for a while.
import type { Clock } from './clock.ts';

/** Answers what `make` made at most `life` milliseconds ago, else makes it anew. A failure is not kept. */
export function expiring<T>(make: () => Promise<T>, life: number, clock: Pick<Clock, 'now'>): () => Promise<T> {
  let held: { readonly value: Promise<T>; readonly until: number } | undefined;
  return async () => {
    if (held === undefined || held.until <= clock.now()) held = { value: make(), until: clock.now() + life };
    const mine = held;
    try {
      return await mine.value;
    } catch (error) {
      if (held === mine) held = undefined;
      throw error;
    }
  };
}
