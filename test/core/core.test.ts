import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { isDigest, parseDigest } from '../../src/core/digest.ts';
import { AirgapError, errorCatalogue, fileError } from '../../src/core/errors.ts';
import { tryLock } from '../../src/core/file-lock.ts';
import { writeWholeFile } from '../../src/core/files.ts';
import { forEach, Semaphore, SingleFlight } from '../../src/core/pool.ts';
import { collect, readRange } from '../../src/core/streams.ts';
import { rejected, thrown } from '../support/thrown.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-core-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('forEach', () => {
  test('answers in the order of the items, with so many at a time', async () => {
    let running = 0;
    let most = 0;
    const results = await forEach(
      [5, 4, 3, 2, 1],
      async (n) => {
        most = Math.max(most, ++running);
        for (let i = 0; i < n; i++) await turn();
        running--;
        return n * 10;
      },
      { concurrency: 2 },
    );
    expect(results).toEqual([50, 40, 30, 20, 10]);
    expect(most).toBe(2);
  });

  test('after the first failure starts nothing more, and waits for what runs', async () => {
    const started: number[] = [];
    let ended = 0;
    const failing = forEach(
      [1, 2, 3, 4, 5],
      async (n, signal) => {
        started.push(n);
        await turn();
        if (n === 1) throw new Error('first');
        await turn();
        expect(signal.aborted).toBe(true);
        ended++;
      },
      { concurrency: 2 },
    );
    await expect(failing).rejects.toThrow('first');
    expect([started, ended]).toEqual([[1, 2], 1]);
  });

  test("ends with the caller's reason when the caller aborts", async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    await expect(
      forEach([1, 2, 3], async () => stop.abort(reason), { concurrency: 1, signal: stop.signal }),
    ).rejects.toBe(reason);
  });
});

test('a semaphore lets the waiting go on in order, after a failure too', async () => {
  const semaphore = new Semaphore(1);
  const order: number[] = [];
  const tasks = [1, 2, 3].map((n) =>
    semaphore.run(async () => {
      order.push(n);
      await turn();
      if (n === 1) throw new Error('one');
    }),
  );
  await Promise.allSettled(tasks);
  expect(order).toEqual([1, 2, 3]);
});

test('a single flight shares one run for each key, and keeps nothing', async () => {
  const flights = new SingleFlight<string, number>();
  let runs = 0;
  const task = async (): Promise<number> => {
    await turn();
    return ++runs;
  };
  expect(await Promise.all([flights.run('a', task), flights.run('a', task)])).toEqual([1, 1]);
  expect(await flights.run('a', task)).toBe(2);
});

describe('canonical JSON (RFC 8785)', () => {
  test('sorts keys by UTF-16 code units', () => {
    const sorted = canonicalJson({
      '\u20ac': 'Euro',
      '\r': 'CR',
      '\ufb33': 'Hebrew',
      '1': 'One',
      '\ud83d\ude00': 'Emoji',
      '\u0080': 'Control',
      '\u00f6': 'o umlaut',
    });
    expect(Object.keys(JSON.parse(sorted.toString()) as object).sort()).toHaveLength(7);
    expect([...sorted.toString().matchAll(/"(?:[^"\\]|\\.)*":"([A-Za-z ]+)"/g)].map(([, value]) => value)).toEqual([
      'CR',
      'One',
      'Control',
      'o umlaut',
      'Euro',
      'Emoji',
      'Hebrew',
    ]);
  });

  test.each([
    [-0, '0'],
    [1e21, '1e+21'],
    [0.000001, '0.000001'],
    [1e-7, '1e-7'],
    [333333333.33333329, '333333333.3333333'],
    ['\u000f\n\u20ac"\\', '"\\u000f\\n€\\"\\\\"'],
    [[1, { b: 1, a: undefined }], '[1,{"b":1}]'],
  ])('%j is %s', (value, text) => {
    expect(canonicalJson(value).toString()).toBe(text);
  });

  test.each([[Number.NaN], [Number.POSITIVE_INFINITY], ['\ud800'], [undefined], [() => 1]])(
    'what JSON cannot say is refused',
    (value) => {
      expect(thrown(() => canonicalJson(value)).code).toBe('INTERNAL');
    },
  );

  test('what is parsed and written again is the same bytes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const bytes = canonicalJson(value);
        return canonicalJson(JSON.parse(bytes.toString())).equals(bytes);
      }),
    );
  });
});

test('a digest is checked before it is used for anything', () => {
  expect(isDigest(`sha256:${'0'.repeat(64)}`)).toBe(true);
  for (const text of [
    '',
    'sha256:',
    `sha256:${'0'.repeat(63)}`,
    `sha256:${'A'.repeat(64)}`,
    `sha512:${'0'.repeat(128)}`,
    `sha256:${'0'.repeat(64)}\n`,
  ]) {
    expect(thrown(() => parseDigest(text)).code).toBe('REFERENCE_INVALID');
  }
});

describe('files', () => {
  test('a range is read as asked, and a file that ends early just ends', async () => {
    const path = join(folder, 'data');
    const bytes = Buffer.alloc(2_500_000, 'x');
    await writeFile(path, bytes);
    const file = await open(path);
    for (const [start, end, size] of [
      [0, undefined, 2_500_000],
      [10, 20, 10],
      [2_499_999, 9_999_999, 1],
      [3_000_000, undefined, 0],
      [5, 5, 0],
    ] as const) {
      expect((await collect(readRange(file, { start, end }), 1e9)).byteLength).toBe(size);
    }
    for await (const chunk of readRange(file)) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break; // an early return must not leave a read behind
    }
    await file.close();
  });

  test('what is more than allowed is not collected', async () => {
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(100);
    })();
    expect((await rejected(collect(endless, 1000))).code).toBe('REGISTRY_PROTOCOL');
  });

  test('a file is replaced as a whole, with its mode, over what a crash left', async () => {
    const path = join(folder, 'key');
    await writeFile(`${path}.tmp`, 'half');
    await writeWholeFile(path, Buffer.from('one'), { mode: 0o600 });
    await writeWholeFile(path, Buffer.from('two'), { mode: 0o600 });
    expect([(await readFile(path)).toString(), (await stat(path)).mode & 0o777, await readdir(folder)]).toEqual([
      'two',
      0o600,
      ['key'],
    ]);
  });

  test('a lock is held by a live process only', async () => {
    const path = join(folder, 'lock');
    const alive = { pid: 1, isAlive: () => true };
    const unlock = await tryLock(path, { pid: 2, isAlive: () => false });
    expect(await tryLock(path, alive)).toBeUndefined();
    await unlock?.();
    await writeFile(path, '99\n');
    expect(await tryLock(path, { pid: 1, isAlive: () => false })).toBeDefined();
    await writeFile(path, '');
    expect(await tryLock(path, alive)).toBeDefined();
  });

  test('what the system says becomes an error that names the file', async () => {
    const missing = await open(join(folder, 'nothing')).catch((error: unknown) => fileError(error, 'read', 'nothing'));
    expect([(missing as AirgapError).code, (missing as AirgapError).message]).toEqual([
      'FILE_NOT_FOUND',
      'cannot read nothing: no such file or folder',
    ]);
    for (const [code, expected] of [
      ['ENOSPC', 'DISK_FULL'],
      ['EACCES', 'IO_FAILED'],
      ['EEXIST', 'FILE_EXISTS'],
    ] as const) {
      expect((fileError(Object.assign(new Error(code), { code }), 'write', 'x') as AirgapError).code).toBe(expected);
    }
    const other = new TypeError('ours');
    expect(fileError(other, 'write', 'x')).toBe(other);
  });
});

test('every error code has an exit status of the documented ones', () => {
  for (const { exit } of Object.values(errorCatalogue)) expect([1, 2, 3, 4, 130]).toContain(exit);
});
