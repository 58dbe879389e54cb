import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tryLock, type ProcessIdentity } from '../../src/core/file-lock.ts';
import { rejected } from '../support/thrown.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Process `pid` of a machine on which these run. */
function processOf(pid: number, ...alive: readonly number[]): ProcessIdentity {
  return { pid, isAlive: (other) => alive.includes(other) };
}

describe('tryLock', () => {
  test('is for one process at a time, and names it', async () => {
    const unlock = await tryLock(path, processOf(10, 10, 11));
    expect((await readFile(path)).toString()).toBe('10\n');
    expect(await tryLock(path, processOf(11, 10, 11))).toBeUndefined();
    await unlock?.();
    expect(await readdir(folder)).toEqual([]);
    expect(await tryLock(path, processOf(11, 10, 11))).toBeDefined();
  });

  test.each([
    ['a process that is gone', '99\n'],
    ['a process that was killed before it could write its id', ''],
    ['something that is no process', 'hello'],
    ['a negative id, which would be a process group', '-1\n'],
    ['an id of a fraction', '1.5\n'],
  ])('takes over what was left by %s', async (_case, left) => {
    await writeFile(path, left);
    const unlock = await tryLock(path, { pid: 10, isAlive: (pid) => pid !== 99 });
    expect(unlock).toBeDefined();
    expect((await readFile(path)).toString()).toBe('10\n');
    await unlock?.();
    expect(await readdir(folder)).toEqual([]);
  });

  test('takes over its own id: in a container each start has the same', async () => {
    await writeFile(path, '10\n');
    expect(await tryLock(path, processOf(10, 10))).toBeDefined();
  });

  test('where no file can be made says which', async () => {
    const error = await rejected(tryLock(join(folder, 'nowhere', 'lock'), processOf(1)));
    expect(error.code).toBe('FILE_NOT_FOUND');
    expect(error.message).toContain(join(folder, 'nowhere', 'lock'));
  });

  test('releasing twice, or after somebody removed it, is no failure', async () => {
    const unlock = await tryLock(path, processOf(1));
    await rm(path);
    await unlock?.();
    await unlock?.();
  });
});
