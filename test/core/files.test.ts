import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureFolder, syncFolder, writeWholeFile } from '../../src/core/files.ts';
import { rejected } from '../support/thrown.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-files-'));
  path = join(folder, 'state.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const text = async (): Promise<string> => (await readFile(path)).toString();
const mode = async (): Promise<number> => (await stat(path)).mode & 0o777;

describe('writeWholeFile', () => {
  test('writes, and writes again, and leaves nothing else', async () => {
    await writeWholeFile(path, Buffer.from('a long one'));
    await writeWholeFile(path, Buffer.from('short'));
    expect([await text(), await readdir(folder)]).toEqual(['short', ['state.json']]);
  });

  test('puts another file in the place of the old one, so that a reader keeps what it has open', async () => {
    await writeWholeFile(path, Buffer.from('one'));
    const before = (await stat(path)).ino;
    await writeWholeFile(path, Buffer.from('two'));
    expect((await stat(path)).ino).not.toBe(before);
  });

  test('has the mode that is asked for, never that of what lay there', async () => {
    await writeFile(path, 'public', { mode: 0o644 });
    await writeFile(`${path}.tmp`, 'public too', { mode: 0o666 });
    await writeWholeFile(path, Buffer.from('secret'), { mode: 0o600 });
    expect([await text(), await mode()]).toEqual(['secret', 0o600]);
  });

  test('takes over the temporary file that a crash left', async () => {
    await writeFile(`${path}.tmp`, 'half of something much longer');
    await writeWholeFile(path, Buffer.from('whole'));
    expect([await text(), await readdir(folder)]).toEqual(['whole', ['state.json']]);
  });

  test("leaves another process's temporary file alone", async () => {
    await writeFile(`${path}.1.tmp`, 'theirs');
    await writeWholeFile(path, Buffer.from('ours'), { temporary: `${path}.2.tmp` });
    expect((await readdir(folder)).sort()).toEqual(['state.json', 'state.json.1.tmp']);
  });

  test('leaves the old file where the new one cannot be written', async () => {
    await writeFile(path, 'old');
    await mkdir(`${path}.tmp`);
    expect((await rejected(writeWholeFile(path, Buffer.from('new')))).code).toBe('IO_FAILED');
    expect(await text()).toBe('old');
  });

  test('in a folder that does not exist is FILE_NOT_FOUND, with the path', async () => {
    const absent = join(folder, 'nowhere', 'state.json');
    const error = await rejected(writeWholeFile(absent, Buffer.from('x')));
    expect(error.code).toBe('FILE_NOT_FOUND');
    expect(error.message).toContain(absent);
  });
});

test('a folder that cannot be synced is no failure', async () => {
  await syncFolder(folder);
  await syncFolder(join(folder, 'nowhere'));
});

describe('ensureFolder', () => {
  test('makes it with those above it, and leaves what is there', async () => {
    const deep = join(folder, 'a', 'b');
    expect([await ensureFolder(deep), await ensureFolder(deep)]).toEqual([join(folder, 'a'), undefined]);
  });

  test('where a file has the name, or lies above it, the error says which', async () => {
    await writeFile(path, 'a file');
    expect((await rejected(ensureFolder(path))).code).toBe('FILE_EXISTS');
    expect((await rejected(ensureFolder(join(path, 'below')))).code).toBe('PATH_INVALID');
  });

  test('where the file system makes no folders (/proc), it ends', async (context) => {
    if (process.platform !== 'linux') {
      console.warn('skipped: /proc is a file system of Linux');
      context.skip();
    }
    expect((await rejected(ensureFolder('/proc/nowhere/below'))).code).toBe('FILE_NOT_FOUND');
  });

  test('many at once, with folders above that are not there yet, all succeed', async () => {
    const paths = Array.from({ length: 40 }, (_, i) => join(folder, 'a', 'b', 'c', `${i % 4}`));
    await Promise.all(paths.map((deep) => ensureFolder(deep)));
    expect((await readdir(join(folder, 'a', 'b', 'c'))).sort()).toEqual(['0', '1', '2', '3']);
  });

  test('on a read-only file system it says so, not that there is no such file', async (context) => {
    const mount = 'mount -t tmpfs -o ro none "$1"';
    const probe = spawnSync('unshare', ['-rm', 'sh', '-c', mount, 'sh', folder]);
    if (probe.status !== 0) {
      console.warn('skipped: no file system can be mounted here (unshare -rm)');
      context.skip();
    }
    const source = new URL('../../src/core/files.ts', import.meta.url).href;
    const script = `import(process.argv[1]).then(({ ensureFolder }) => ensureFolder(process.argv[2]))
      .catch((error) => process.stdout.write([error.code, error.message].join(' ')));`;
    const node = [process.execPath, '-e', script, source, join(folder, 'a', 'b')];
    const found = spawnSync('unshare', ['-rm', 'sh', '-c', `${mount} && shift && exec "$@"`, 'sh', folder, ...node]);
    expect(found.stdout.toString()).toMatch(/^IO_FAILED .* read-only$/);
  });
});
