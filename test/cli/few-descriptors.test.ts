// A bundle may have more volumes, and an unpacked one more files, than a process may have open files.
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { journey, type Journey } from '../support/journey.ts';
import { haveTools } from '../support/tools.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const DESCRIPTORS = 40;
const MIB = 1024 * 1024;

describe.skipIf(!haveTools('a limit of open files', 'bash', 'tar'))(`with ${DESCRIPTORS} open files`, () => {
  let site: Journey;

  beforeAll(async () => {
    site = await journey({ spec: { files: [{ path: './large.bin' }] } });
    await writeFile(site.path('large.bin'), Buffer.alloc(44 * MIB, 1));
    const built = await site.run(
      ...['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--volume-size', '1M'],
    );
    expect(built.status).toBe(0);
  }, 120_000);
  afterAll(() => site.end());

  /** The command line in a process of its own. */
  const limited = (...argv: string[]) =>
    spawnSync('bash', ['-c', `ulimit -n ${DESCRIPTORS} && exec "$@"`, 'bash', process.execPath, MAIN, ...argv], {
      cwd: site.folder,
      encoding: 'utf8',
      env: { ...process.env, XDG_CACHE_HOME: site.path('.cache'), XDG_STATE_HOME: site.path('.state') },
    });

  test('more volumes than that are verified', async () => {
    expect((await readdir(site.path('media'))).length).toBeGreaterThan(DESCRIPTORS);
    const { status, stderr } = limited('verify', 'media', '--key', 'airgap.pub', '--quiet');
    expect([status, stderr]).toEqual([0, '']);
  });

  test('more volumes than that are written', () => {
    const { status, stderr } = limited(
      ...[
        'build',
        'airgap.yaml',
        '--key',
        'airgap.key',
        '--out',
        'other',
        '--volume-size',
        '1M',
        '--no-installer',
        '--quiet',
      ],
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(limited('verify', 'other', '--key', 'airgap.pub', '--quiet').status).toBe(0);
  }, 120_000);

  test('an unpacked bundle is verified', async () => {
    await mkdir(site.path('unpacked'));
    const joined = spawnSync('bash', ['-c', 'cat media/site-alpha.tar.* | tar -xf - -C unpacked'], {
      cwd: site.folder,
    });
    expect(joined.status).toBe(0);
    expect(limited('verify', 'unpacked', '--key', 'airgap.pub', '--quiet').status).toBe(0);
  });
});
