// Which file `lock` and `build` take for airgap.yaml, and what they say where there is none or another one.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-spec-'));
  await mkdir(join(folder, 'site'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Refused by what only this file says. */
const SPEC = 'apiVersion: eck-airgap/v1\nkind: BundleSpec\nmetadata: { name: site }\nimags: []\n';

const run = (cwd: string, ...argv: string[]) => cli(argv, { cwd });

test.each([
  ['without an argument, the one in this folder', 'site', []],
  ['a folder', '.', ['site']],
  ['this folder', 'site', ['.']],
  ['the file', '.', ['site/airgap.yaml']],
])('%s is airgap.yaml', async (_case, cwd, args) => {
  const path = join(folder, 'site', 'airgap.yaml');
  await writeFile(path, SPEC);
  for (const command of [['lock'], ['build', '--key', 'k', '--out', 'm']]) {
    const { status, stderr } = await run(join(folder, cwd), ...command, ...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(`${path} is not valid: line 4, column 1: imags`)]);
  }
});

test('where there is none, the way out is init', async () => {
  const { status, stderr } = await run(folder, 'lock');
  expect([status, stderr]).toEqual([
    2,
    expect.stringMatching(/airgap\.yaml: no such file.*\[FILE_NOT_FOUND\]\n.*init/),
  ]);
});

test('the lock in its place is called the lock', async () => {
  await writeFile(join(folder, 'airgap.lock.yaml'), SPEC.replace('BundleSpec', 'Lock'));
  const { status, stderr } = await run(folder, 'lock', 'airgap.lock.yaml');
  expect([status, stderr]).toEqual([2, expect.stringMatching(/kind Lock.*\[CONFIG_INVALID\]\n.*Name airgap\.yaml/)]);
});

test('a file that is not there is found out before the network is asked', async () => {
  const lines = ['images: [unreachable.invalid/a:1]', 'files: [{ path: nothing.txt }]', 'charts: [{ path: ./site }]'];
  await writeFile(join(folder, 'airgap.yaml'), `${SPEC.replace('imags: []\n', '')}${lines.join('\n')}\n`);
  const missing = await run(folder, 'lock', '--retries', '0');
  expect([missing.status, missing.stderr]).toEqual([
    2,
    expect.stringMatching(/files\[0\]\.path: .*\[FILE_NOT_FOUND\]/),
  ]);
  await writeFile(join(folder, 'nothing.txt'), '');
  const chart = await run(folder, 'lock', '--retries', '0');
  expect([chart.status, chart.stderr]).toEqual([
    2,
    expect.stringMatching(/charts\[0\]\.path: .*\[PATH_INVALID\]\n.*helm package/),
  ]);
});
