import { describe, expect, test } from 'vitest';
import { allOf, forEach, Semaphore, settle, SingleFlight, untilAborted } from '../../src/core/pool.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

describe('forEach', () => {
  test('answers in the order of the items, however long each takes', async () => {
    const results = await forEach([4, 1, 3, 0, 2], async (n) => {
      await turns(n);
      return `result ${n}`;
    });
    expect(results).toEqual(['result 4', 'result 1', 'result 3', 'result 0', 'result 2']);
  });

  test.each([1, 3, 50])('runs at most %d at a time, and as many where there is work', async (concurrency) => {
    let running = 0;
    let most = 0;
    await forEach(
      Array.from({ length: 20 }).keys(),
      async () => {
        most = Math.max(most, ++running);
        await turn();
        running--;
      },
      { concurrency },
    );
    expect(most).toBe(Math.min(concurrency, 20));
  });

  test('takes each item once, and nothing is a result too', async () => {
    const seen: number[] = [];
    expect(await forEach(new Set([1, 2, 3]), async (n) => void seen.push(n))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(seen).toEqual([1, 2, 3]);
    expect(await forEach([], async () => 1)).toEqual([]);
  });

  test('throws the first error, not the one of the first item', async () => {
    const failing = forEach([3, 1], async (n) => {
      await turns(n);
      throw new Error(`item ${n}`);
    });
    await expect(failing).rejects.toThrow('item 1');
  });

  test('tells the tasks under way of a failure, waits for them, and starts no other', async () => {
    const failure = new Error('broken');
    const started: string[] = [];
    const told: unknown[] = [];
    let ended = false;
    const failing = forEach(
      ['fails', 'slow', 'never'],
      async (item, signal) => {
        started.push(item);
        if (item === 'fails') {
          await turn();
          throw failure;
        }
        signal.addEventListener('abort', () => told.push(signal.reason));
        await turns(5);
        ended = true;
      },
      { concurrency: 2 },
    );
    await expect(failing).rejects.toBe(failure);
    expect({ started, told, ended }).toEqual({ started: ['fails', 'slow'], told: [failure], ended: true });
  });

  test("gives the tasks the caller's abort, and fails with its reason though no task did", async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const seen: unknown[] = [];
    const stopped = forEach(
      [1, 2, 3],
      async (n, signal) => {
        if (n === 1) stop.abort(reason);
        seen.push(signal.reason);
      },
      { concurrency: 1, signal: stop.signal },
    );
    await expect(stopped).rejects.toBe(reason);
    expect(seen).toEqual([reason]);
  });

  test('starts nothing when the caller had aborted before', async () => {
    const reason = new Error('too late');
    let started = 0;
    const stopped = forEach([1, 2], async () => started++, { signal: AbortSignal.abort(reason) });
    await expect(stopped).rejects.toBe(reason);
    expect(started).toBe(0);
  });
});

describe('allOf', () => {
  test('answers each of several tasks, all under way at once', async () => {
    let running = 0;
    const task = async <T>(result: T): Promise<T> => {
      running++;
      await turn();
      expect(running).toBe(2);
      return result;
    };
    expect(await allOf([() => task(1), () => task('two')])).toEqual([1, 'two']);
  });

  test('tells the others of a failure, and waits for them', async () => {
    const failure = new Error('broken');
    const told: unknown[] = [];
    const failing = allOf([
      () => Promise.reject(failure),
      async (signal) => {
        await turn();
        told.push(signal.reason);
      },
    ]);
    await expect(failing).rejects.toBe(failure);
    expect(told).toEqual([failure]);
  });
});

describe('settle', () => {
  test('answers what each promise gives', async () => {
    expect(await settle([Promise.resolve(1), Promise.resolve('two')])).toEqual([1, 'two']);
  });

  test('fails with the first in order, when none goes on any more', async () => {
    let ended = false;
    const slow = turns(5).then(() => {
      ended = true;
      throw new Error('slow');
    });
    await expect(settle([slow, Promise.reject(new Error('fast'))])).rejects.toThrow('slow');
    expect(ended).toBe(true);
  });
});

describe('Semaphore', () => {
  test('lets so many in, and the waiting in their order', async () => {
    const semaphore = new Semaphore(2);
    const log: string[] = [];
    await Promise.all(
      [1, 2, 3, 4].map((n) =>
        semaphore.run(async () => {
          log.push(`in ${n}`);
          await turn();
          log.push(`out ${n}`);
        }),
      ),
    );
    expect(log.slice(0, 2)).toEqual(['in 1', 'in 2']);
    expect(log.indexOf('in 3')).toBeGreaterThan(log.indexOf('out 1'));
    expect(log.indexOf('in 4')).toBeGreaterThan(log.indexOf('in 3'));
  });

  test('is free again after a task that failed, and after waiting ones', async () => {
    const semaphore = new Semaphore(1);
    const failing = semaphore.run(async () => {
      await turn();
      throw new Error('broken');
    });
    const waiting = semaphore.run(async () => 'second');
    await expect(failing).rejects.toThrow('broken');
    expect(await waiting).toBe('second');
    expect(await semaphore.run(async () => 'third')).toBe('third');
  });
});

describe('SingleFlight', () => {
  test('shares one run for each key, and begins anew afterwards', async () => {
    const flights = new SingleFlight<string, string>();
    let runs = 0;
    const fly = (key: string): Promise<string> =>
      flights.run(key, async () => {
        await turn();
        return `${key}${++runs}`;
      });
    expect(await Promise.all([fly('a'), fly('a'), fly('b')])).toEqual(['a1', 'a1', 'b2']);
    expect(await fly('a')).toBe('a3');
  });

  test('shares a failure too, and does not keep it', async () => {
    const flights = new SingleFlight<string, string>();
    const failing = async (): Promise<string> => {
      await turn();
      throw new Error('broken');
    };
    const [one, two] = await Promise.allSettled([flights.run('a', failing), flights.run('a', failing)]);
    expect([one.status, two.status]).toEqual(['rejected', 'rejected']);
    expect(await flights.run('a', async () => 'well')).toBe('well');
  });
});

describe('untilAborted', () => {
  test.each(['before', 'while it is waited for'])(
    'a signal that is aborted %s ends the waiting, and what fails later is no unhandled rejection',
    async (when) => {
      const unhandled: unknown[] = [];
      const note = (reason: unknown): void => void unhandled.push(reason);
      process.on('unhandledRejection', note);
      try {
        const stop = new AbortController();
        const { promise, reject } = Promise.withResolvers<undefined>();
        if (when === 'before') stop.abort(new Error('stop'));
        const waiting = untilAborted(promise, stop.signal);
        stop.abort(new Error('stop'));
        await expect(waiting).rejects.toThrow('stop');
        reject(new Error('the client left'));
        await new Promise((resolve) => setImmediate(resolve));
        expect(unhandled).toEqual([]);
      } finally {
        process.off('unhandledRejection', note);
      }
    },
  );
});
