// Time and chance as the client needs them, passed in so that tests never wait. This is the one place in the registry
// client that takes them from the machine.
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** At least 0, less than 1. */
  random(): number;
}

export const systemClock: Clock = {
  // eslint-disable-next-line no-restricted-globals -- the default that everything else gets passed in
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  // eslint-disable-next-line no-restricted-syntax -- the default that everything else gets passed in
  random: () => Math.random(),
};
