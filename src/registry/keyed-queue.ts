// Work of one key one after another, work of different keys side by side.

import { untilAborted } from '../core/pool.ts';

export class KeyedQueue<K> {
  readonly #last = new Map<K, Promise<void>>();

  /** Runs `task` when all earlier ones of `key` have ended, however they did. @throws the signal's reason while it waits */
  async run<T>(key: K, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const { promise: ended, resolve: end } = Promise.withResolvers<undefined>();
    // a waiter that gives up must not let those behind it overtake the one that is running
    const last = Promise.all([before, ended]).then(() => undefined);
    this.#last.set(key, last);
    try {
      await untilAborted(before, signal);
      return await task();
    } finally {
      end(undefined);
      void last.then(() => this.#last.get(key) === last && this.#last.delete(key));
    }
  }
}
