// Nothing is written through a name that leads to another file.
import { spawnSync } from 'node:child_process';
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tryLock } from '../../src/core/file-lock.ts';
import { isThere, writeWholeFile } from '../../src/core/files.ts';
import { openOutput, openWritten } from '../../src/core/output-file.ts';
import { haveTools } from '../support/tools.ts';
import { rejected } from '../support/thrown.ts';

let folder: string;
let host: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-output-'));
  host = join(folder, 'of-the-host');
  path = join(folder, 'output');
  await writeFile(host, 'of the host');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const self = { pid: 4242, isAlive: () => true };
const fifo = (name: string): boolean => spawnSync('mkfifo', [name]).status === 0;

/** What can have a name that a file is to get. */
const planted: Readonly<Record<string, () => Promise<unknown>>> = {
  'a symbolic link': () => symlink(host, path),
  'a symbolic link that leads nowhere': () => symlink(join(folder, 'new'), path),
  'a hard link': () => link(host, path),
  'a folder': () => mkdir(path),
};

describe.each(Object.keys(planted))('where %s has the name', (what) => {
  beforeEach(() => planted[what]?.());

  test('nothing is opened for writing', async () => {
    expect((await rejected(openOutput(path))).code).toBe('PATH_INVALID');
    expect((await rejected(openOutput(path, { append: true }))).code).toBe('PATH_INVALID');
    expect(await readFile(host, 'utf8')).toBe('of the host');
    expect(await isThere(join(folder, 'new'))).toBe(false);
  });

  test('a whole file takes the name alone, or is refused; a new one is refused', async () => {
    expect((await rejected(writeWholeFile(path, Buffer.from('new'), { isNew: true }))).code).toBe('FILE_EXISTS');
    await writeWholeFile(path, Buffer.from('new')).catch(() => undefined);
    expect(await readFile(host, 'utf8')).toBe('of the host');
    expect((await readdir(folder)).filter((name) => name === 'new' || name.endsWith('.tmp'))).toEqual([]);
  });
});

test.each(['a symbolic link', 'a folder'])('a lock of which %s has the name is not taken over', async (what) => {
  await planted[what]?.();
  expect((await rejected(tryLock(path, self))).code).toBe('PATH_INVALID');
  expect(await readFile(host, 'utf8')).toBe('of the host');
});

test.skipIf(!haveTools('pipes in the place of files', 'mkfifo'))('a pipe is waited for by nobody', async () => {
  expect(fifo(path)).toBe(true);
  for (const opening of [openOutput(path), openWritten(path), tryLock(path, self)])
    expect((await rejected(opening)).code).toBe('PATH_INVALID');
});

test('a temporary file that is a link is removed, not written through', async () => {
  await symlink(host, `${path}.tmp`);
  await writeWholeFile(path, Buffer.from('new'));
  expect([await readFile(host, 'utf8'), await readFile(path, 'utf8')]).toEqual(['of the host', 'new']);
});

test('what is there stays, and can be gone on with', async () => {
  await writeFile(path, 'some');
  const file = await openOutput(path);
  await file.write('S', 0);
  await file.close();
  expect(await readFile(path, 'utf8')).toBe('Some');
});

test('a new file has one name when it is whole', async () => {
  await writeWholeFile(path, Buffer.from('new'), { isNew: true, mode: 0o600 });
  const found = await stat(path);
  expect([found.nlink, found.mode & 0o777, await readdir(folder)]).toEqual([1, 0o600, ['of-the-host', 'output']]);
});

test('of two that make one new file at once, one has it', async () => {
  const making = ['a', 'b', 'c'].map((text) =>
    writeWholeFile(path, Buffer.from(text), { isNew: true, temporary: `${path}.${text}` }).then(
      () => text,
      () => undefined,
    ),
  );
  const made = (await Promise.all(making)).filter((text) => text !== undefined);
  expect(made).toEqual([await readFile(path, 'utf8')]);
});
