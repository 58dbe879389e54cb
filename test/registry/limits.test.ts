// How many requests run at a time, in which order, and when one is tried again.
import { describe, expect, test } from 'vitest';
import { AirgapError } from '../../src/core/errors.ts';
import { Attempts, isTransient } from '../../src/registry/attempts.ts';
import { HttpError } from '../../src/registry/http-error.ts';
import { KeyedQueue } from '../../src/registry/keyed-queue.ts';
import { untilAborted } from '../../src/core/pool.ts';
import { Limiter } from '../../src/registry/limiter.ts';
import { FakeClock } from '../support/registry-bench.ts';

/** A task that ends when it is told to. */
function held(): { task: () => Promise<number>; end: (result: number) => void; started: () => boolean } {
  const { promise, resolve } = Promise.withResolvers<number>();
  let started = false;
  const task = (): Promise<number> => {
    started = true;
    return promise;
  };
  return { task, end: resolve, started: () => started };
}

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const verdict = (result: number): 'shrink' | 'grow' => (result < 0 ? 'shrink' : 'grow');

describe('limiter', () => {
  test('begins with 8 and lets the next in as one leaves', async () => {
    const limiter = new Limiter();
    const tasks = Array.from({ length: 10 }, held);
    const running = tasks.map(({ task }) => limiter.run(task, () => 'keep'));
    await settle();
    expect(tasks.filter(({ started }) => started())).toHaveLength(8);
    tasks[0]!.end(0);
    await settle();
    expect(tasks.filter(({ started }) => started())).toHaveLength(9);
    for (const { end } of tasks) end(0);
    await Promise.all(running);
  });

  test('is halved once for all that were under way together, and never below one', async () => {
    const limiter = new Limiter();
    const tasks = Array.from({ length: 8 }, held);
    const running = tasks.map(({ task }) => limiter.run(task, verdict));
    for (const { end } of tasks) end(-1);
    await Promise.all(running);
    expect(limiter.limit).toBe(4);
    for (let i = 0; i < 10; i++) await limiter.run(async () => -1, verdict);
    expect(limiter.limit).toBe(1);
  });

  test('grows slowly, up to 64', async () => {
    const limiter = new Limiter();
    for (let i = 0; i < 8; i++) await limiter.run(async () => 1, verdict);
    expect(limiter.limit).toBe(8);
    for (let i = 0; i < 2; i++) await limiter.run(async () => 1, verdict);
    expect(limiter.limit).toBe(9);
    for (let i = 0; i < 5000; i++) await limiter.run(async () => 1, verdict);
    expect(limiter.limit).toBe(64);
  });

  test('a failure gives its room back; one that waits can give up', async () => {
    const limiter = new Limiter();
    for (let i = 0; i < 20; i++)
      await expect(limiter.run(() => Promise.reject(new Error('no')), verdict)).rejects.toThrow('no');
    const tasks = Array.from({ length: 8 }, held);
    const running = tasks.map(({ task }) => limiter.run(task, verdict));
    const impatient = new AbortController();
    const waiting = limiter.run(async () => 1, verdict, impatient.signal);
    const behind = limiter.run(async () => 2, verdict);
    impatient.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    for (const { end } of tasks) end(1);
    await Promise.all(running);
    expect(await behind).toBe(2);
  });
});

describe('keyed queue', () => {
  test('one key: one after another, whatever happens; another key: at the same time', async () => {
    const queue = new KeyedQueue<string>();
    const first = held();
    const second = held();
    const other = held();
    const runs = [queue.run('a', first.task), queue.run('a', second.task), queue.run('b', other.task)];
    await settle();
    expect([first.started(), second.started(), other.started()]).toEqual([true, false, true]);
    first.end(1);
    await settle();
    expect(second.started()).toBe(true);
    second.end(2);
    other.end(3);
    expect(await Promise.all(runs)).toEqual([1, 2, 3]);
  });

  test('one that gives up waiting does not let others overtake', async () => {
    const queue = new KeyedQueue<string>();
    const first = held();
    const third = held();
    const running = queue.run('a', first.task);
    const abort = new AbortController();
    const waiting = queue.run('a', async () => 2, abort.signal);
    const last = queue.run('a', third.task);
    abort.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    await settle();
    expect(third.started()).toBe(false);
    first.end(1);
    third.end(3);
    expect(await Promise.all([running, last])).toEqual([1, 3]);
  });

  test('waiting ends with the signal', async () => {
    await expect(untilAborted(new Promise(() => undefined), AbortSignal.abort(new Error('stop')))).rejects.toThrow(
      'stop',
    );
    expect(await untilAborted(Promise.resolve(1), undefined)).toBe(1);
  });
});

describe('attempts', () => {
  const failure = (status: number, retryAfter?: number): HttpError =>
    new HttpError('REGISTRY_ERROR', 'x', { status, codes: [], retryAfter });
  const attempts = (clock: FakeClock, signal?: AbortSignal): Attempts =>
    new Attempts({ retries: 4, clock, reached: () => true, signal });

  test('waits longer each time, then throws what it was given', async () => {
    const clock = new FakeClock();
    const work = attempts(clock);
    for (let i = 0; i < 4; i++) await work.wait(failure(503));
    const last = failure(503);
    await expect(work.wait(last)).rejects.toBe(last);
    expect(clock.slept).toEqual([375, 750, 1500, 3000]);
  });

  test('progress gives all attempts back', async () => {
    const clock = new FakeClock();
    const work = attempts(clock);
    for (let i = 0; i < 20; i++) {
      await work.wait(failure(503));
      work.progressed();
    }
    expect(new Set(clock.slept)).toEqual(new Set([375]));
  });

  test('Retry-After is the least that is waited', async () => {
    const clock = new FakeClock();
    await attempts(clock).wait(failure(429, 60_000));
    await attempts(clock).wait(failure(429, 1));
    expect(clock.slept).toEqual([60_000, 375]);
  });

  test('after an abort nothing is waited for', async () => {
    const clock = new FakeClock();
    await expect(attempts(clock, AbortSignal.abort(new Error('stop'))).wait(failure(503))).rejects.toThrow('stop');
    expect(clock.slept).toEqual([]);
  });

  test.each([
    [failure(429), true],
    [failure(408), true],
    [failure(500), true],
    [failure(503), true],
    [failure(501), false],
    [failure(404), false],
    [failure(401), false],
    [new AirgapError('REGISTRY_UNREACHABLE', 'x', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) }), true],
    [
      new AirgapError('REGISTRY_UNREACHABLE', 'x', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) }),
      false,
    ],
    [new AirgapError('TLS_FAILED', 'x'), false],
    [new AirgapError('DIGEST_MISMATCH', 'x'), false],
    [new Error('x'), false],
  ])('%# is tried again: %s', (error, expected) => {
    expect(isTransient(error, false)).toBe(expected);
  });

  test('a refused connection is tried again once the server was reached', () => {
    const refused = new AirgapError('REGISTRY_UNREACHABLE', 'x', {
      cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
    });
    expect(isTransient(refused, true)).toBe(true);
  });
});
