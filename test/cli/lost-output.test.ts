// The exit status is that of the work, whatever happens to the output: a reader that has gone, a disk that is full.
import { open, readFile, stat } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { PROGRAM, start, type Ended } from '../support/command-process.ts';
import { testIo } from '../support/io.ts';
import { journey, type Journey } from '../support/journey.ts';

let site: Journey;
beforeAll(async () => {
  site = await journey();
  expect((await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media')).status).toBe(0);
});
afterAll(() => site.end());

const VERIFY = ['verify', 'media', '--key', 'airgap.pub'];
const UNTRUSTED = ['verify', 'media', '--json'];
const MISSING = ['lock', 'nothing.yaml', '--json'];

/** Runs a command whose streams of these names nobody reads. */
async function unread(argv: readonly string[], ...names: readonly ('stdout' | 'stderr')[]): Promise<Ended> {
  const { child, ended } = start([...PROGRAM, ...argv], { cwd: site.folder });
  for (const name of names) child[name]?.destroy();
  return ended;
}

describe('a reader that has gone', () => {
  test.each([
    ['a command that succeeds', VERIFY, 0],
    ['one that trusts nothing', UNTRUSTED, 3],
    ['one with a fault in its words', MISSING, 2],
    ['the help', ['--help'], 0],
    ['a fault in the command line', ['verfy'], 2],
  ])('%s has the same status', async (_case, argv, status) => {
    expect((await unread(argv, 'stdout')).status).toBe(status);
    expect((await unread(argv, 'stderr')).status).toBe(status);
    expect((await unread(argv, 'stdout', 'stderr')).status).toBe(status);
  });

  test('of the progress does not end a build in the middle', async () => {
    const argv = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'unread', '--json'];
    const ended = await unread(argv, 'stderr');
    expect(ended.status).toBe(0);
    expect(JSON.parse(ended.stdout)).toHaveProperty('digest');
    expect((await site.run('verify', 'unread', '--key', 'airgap.pub')).status).toBe(0);
  });
});

describe('a disk that is full', () => {
  async function intoFull(...argv: string[]): Promise<Ended> {
    const full = await open('/dev/full', 'w');
    onTestFinished(() => full.close());
    return start([...PROGRAM, ...argv], { cwd: site.folder, stdio: ['ignore', full.fd, 'pipe'] }).ended;
  }

  test.each([
    ['lines', VERIFY],
    ['JSON', [...VERIFY, '--json']],
    ['the help', ['--help']],
    ['the version', ['--version']],
  ])('under the result in %s is one error of the catalogue', async (_case, argv) => {
    const ended = await intoFull(...argv);
    expect(ended.status).toBe(1);
    expect(ended.stderr.match(/^Error: .* \[DISK_FULL\]$/gm)).toHaveLength(1);
    expect(ended.stderr).not.toMatch(/^ +at |INTERNAL/m);
  });

  test('leaves a failure its own status and its one error', async () => {
    const ended = await intoFull(...UNTRUSTED);
    expect(ended.status).toBe(3);
    expect(ended.stderr.match(/^Error: .*$/gm)).toHaveLength(1);
    expect(ended.stderr).toContain('[KEY_REQUIRED]');
  });

  test('under progress does not end the work', async () => {
    const full = await open('/dev/full', 'w');
    onTestFinished(() => full.close());
    const stdio = ['ignore', 'pipe', full.fd] as const;
    const ended = await start([...PROGRAM, ...VERIFY], { cwd: site.folder, stdio: [...stdio] }).ended;
    expect([ended.status, ended.stdout]).toEqual([0, expect.stringContaining('every byte')]);
  });

  test('in the middle of the result is not taken for success', async () => {
    const words = ['sh', '-c', 'ulimit -f 1; exec "$@" >cut.txt', 'sh', ...PROGRAM, '--help'];
    const ended = await start(words, { cwd: site.folder }).ended;
    const { stdout: whole } = await start([...PROGRAM, '--help'], { cwd: site.folder }).ended;
    expect((await stat(site.path('cut.txt'))).size).toBeLessThan(whole.length);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain('[IO_FAILED]');
  });

  test('not even nearly, the file holds what a pipe gets', async () => {
    const argv = ['inspect', 'media', '--json', '--quiet'];
    await start(['sh', '-c', 'exec "$@" >whole.json', 'sh', ...PROGRAM, ...argv], { cwd: site.folder }).ended;
    expect(await readFile(site.path('whole.json'), 'utf8')).toBe((await site.run(...argv)).stdout);
  });
});

test.each(['EPIPE', 'ENOSPC', 'EIO'])('%s on stderr changes nothing, on every write', async (code) => {
  const stderr = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) });
  const { io, stdout } = testIo({ stderr, cwd: site.folder });
  expect(await run(VERIFY, io)).toBe(0);
  expect(stdout()).toContain('every byte');
});
