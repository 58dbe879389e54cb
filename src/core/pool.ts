// Bounded concurrency: a semaphore, and a map over a list that stops at the first failure.

/** At most `limit` tasks at a time; the others wait in order. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

export interface EachOptions {
  /** How many run at a time; 4 by default. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `task` for each item and answers the results in the items' order. After a failure no further task starts; the
 * first error is thrown when those under way have ended, so that nothing goes on behind the caller's back. The signal
 * given to a task aborts on the first failure.
 */
export async function forEach<T, R>(
  items: Iterable<T>,
  task: (item: T, signal: AbortSignal) => Promise<R>,
  options: EachOptions = {},
): Promise<R[]> {
  const failure = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal;
  const queue = [...items].entries();
  const results: R[] = [];
  let first: { error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (signal.aborted) return;
      try {
        results[index] = await task(item, signal);
      } catch (error) {
        first ??= { error };
        failure.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: options.concurrency ?? 4 }, worker));
  if (first) throw first.error;
  options.signal?.throwIfAborted();
  return results;
}

/** `forEach` over a few tasks of different kinds, all at once. */
export async function allOf<T extends readonly unknown[]>(
  tasks: { readonly [I in keyof T]: (signal: AbortSignal) => Promise<T[I]> },
  { signal }: Pick<EachOptions, 'signal'> = {},
): Promise<T> {
  const run = (task: (signal: AbortSignal) => Promise<unknown>, own: AbortSignal): Promise<unknown> => task(own);
  return (await forEach(tasks, run, { concurrency: tasks.length, signal })) as unknown as T;
}

/** The results of all, once none goes on behind the caller's back; else the first failure, in the order of the tasks. */
export async function settle<T extends readonly unknown[]>(tasks: {
  readonly [I in keyof T]: Promise<T[I]>;
}): Promise<T> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks) as Promise<unknown> as Promise<T>;
}

/** Lets concurrent calls for one key share one run. Nothing is kept afterwards. */
export class SingleFlight<K, T> {
  readonly #running = new Map<K, Promise<T>>();

  run(key: K, task: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running) return running;
    const started = task().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}

/**
 * Waits for `promise`, but no longer than the signal allows; how it ends after that concerns nobody.
 * @throws the signal's reason
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  promise.catch(() => undefined); // also where the signal was aborted before
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
