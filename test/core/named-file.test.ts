import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readFileRange, readNamed, readNamedText } from '../../src/core/named-file.ts';
import { collect } from '../../src/core/streams.ts';
import { rejected } from '../support/thrown.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-named-'));
  path = join(folder, 'named');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const readers = {
  readFileRange: (from: string) => collect(readFileRange(from), 100),
  readNamedText: (from: string) => readNamedText(from, { limit: 100 }),
};

describe.each(Object.entries(readers))('%s', (_name, read) => {
  test('a pipe that nobody writes to is refused, and not waited for', async () => {
    execFileSync('mkfifo', [path]);
    const error = await rejected(read(path));
    expect([error.code, error.message]).toEqual(['PATH_INVALID', expect.stringContaining('a pipe')]);
  });

  test('a folder, a device and a socket are refused, and a file is read through a link', async () => {
    const socket = createServer().listen(join(folder, 'socket'));
    try {
      for (const other of [folder, '/dev/zero', join(folder, 'socket')])
        expect((await rejected(read(other))).code).toBe('PATH_INVALID');
    } finally {
      socket.close();
    }
    await writeFile(path, 'text');
    await symlink(path, join(folder, 'link'));
    expect(String(await read(join(folder, 'link')))).toBe('text');
  });
});

describe('readNamed', () => {
  test('reads the pipe that a shell makes of a command', async () => {
    const source = new URL('../../src/core/named-file.ts', import.meta.url).href;
    const script = `import(process.argv[1]).then(async ({ readNamedText }) =>
      process.stdout.write(await readNamedText(process.argv[2], { limit: 100 })));`;
    const shell = spawn('bash', ['-c', '"$0" -e "$1" "$2" <(echo from a pipe)', process.execPath, script, source]);
    expect(await text(shell.stdout)).toBe('from a pipe\n');
  });

  test('a pipe that is open and silent ends with the signal', async () => {
    const source = new URL('../../src/core/named-file.ts', import.meta.url).href;
    const script = `import(process.argv[1]).then(async ({ readNamedText }) => {
      const controller = new AbortController();
      const reading = readNamedText('/dev/fd/3', { limit: 100, signal: controller.signal });
      setImmediate(() => controller.abort(new Error('stopped')));
      await reading.catch((error) => process.stdout.write(error.message));
    });`;
    execFileSync('mkfifo', [path]);
    const args = ['-c', 'exec 3<>"$0"; "$1" -e "$2" "$3"', path, process.execPath, script, source];
    expect(await text(spawn('bash', args).stdout)).toBe('stopped');
  });

  test('the null device is empty, and more than the limit is refused by name', async () => {
    expect(await readNamedText('/dev/null', { limit: 1 })).toBe('');
    await writeFile(path, 'text');
    const error = await rejected(readNamedText(path, { limit: 3 }, 'KEY_INVALID'));
    expect([error.code, error.message]).toEqual(['KEY_INVALID', expect.stringContaining(path)]);
    expect(await collect(readNamed(path), 10)).toEqual(Buffer.from('text'));
  });
});
