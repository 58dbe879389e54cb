// The Node of another platform, where npm answers something else than what package-lock.json pins, or nothing.
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { baseBinary, pinned } from '../../scripts/package/base.ts';
import { packageProgram, type PackageOptions } from '../../scripts/package/package.ts';
import { missingStrip } from '../../scripts/package/strip.ts';
import { targets, targetsNamed } from '../../scripts/package/targets.ts';

let folder: string;
/** npm installs this one on no machine that runs the tests. */
const foreign = targets.find(({ arch }) => arch !== process.arch)!;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-package-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** Programs that stand in PATH before all others. */
async function inPath(name: string, script: string): Promise<void> {
  const path = join(folder, 'bin', name);
  await mkdir(join(folder, 'bin'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`);
}

async function fetchBase(): Promise<string> {
  const cache = join(folder, 'cache');
  const work = await mkdtemp(join(folder, 'work-'));
  return baseBinary(foreign, { cache, work, signal: new AbortController().signal });
}

test('what npm answers is refused and not kept when it is not what is pinned', async () => {
  const { version } = await pinned(foreign);
  // npm pack --silent --pack-destination FOLDER PACKAGE
  await inPath('npm', `echo something else > "$4/${foreign.base}-${version}.tgz"`);
  await expect(fetchBase()).rejects.toThrow(/is not what package-lock\.json pins: expected sha512-.*, found sha512-/);
  await expect(readdir(join(folder, 'cache'))).rejects.toThrow('ENOENT');
});

test('what is kept is not believed either: npm is asked again', async () => {
  const { version } = await pinned(foreign);
  await mkdir(join(folder, 'cache'));
  await writeFile(join(folder, 'cache', `${foreign.base}-${version}.tgz`), 'half');
  await inPath('npm', 'echo asked again >&2; exit 1');
  await expect(fetchBase()).rejects.toThrow('asked again');
});

describe('a machine without binutils', () => {
  const linux = targets.filter(({ platform }) => platform === 'linux');
  const warnings: string[] = [];
  const options = (strict: boolean): PackageOptions => ({
    out: join(folder, 'dist'),
    cache: join(folder, 'cache'),
    codeCache: false,
    strict,
    signal: new AbortController().signal,
    onPackaged: () => undefined,
    onWarning: (sentence) => {
      warnings.push(sentence);
      throw new Error('enough is known'); // packaging takes ten seconds
    },
  });

  test('lacks a Debian package for each platform of Linux', async () => {
    vi.stubEnv('PATH', folder);
    const missing = await Promise.all(linux.map(missingStrip));
    expect(missing.every((name) => name?.startsWith('binutils') === true)).toBe(true);
    expect(await missingStrip({ ...linux[0]!, platform: 'win' })).toBeUndefined();
  });

  test('packages, with one warning that names the packages', async () => {
    vi.stubEnv('PATH', folder);
    await expect(packageProgram(targets, options(false))).rejects.toThrow('enough is known');
    expect(warnings).toEqual([
      expect.stringMatching(/x64 and eck-airgap-linux-arm64 cannot be stripped.*"apt-get install binutils/),
    ]);
  });

  test('refuses where the same bytes as everywhere are asked for', async () => {
    vi.stubEnv('PATH', folder);
    await expect(packageProgram(targets, options(true))).rejects.toThrow(/cannot be stripped.*binutils/);
  });
});

test('a target that does not exist is answered with those that do', () => {
  expect(() => targetsNamed(['linux-x64', 'macos-arm64'])).toThrow(
    'There is no target macos-arm64; there are linux-x64, linux-arm64, win-x64.',
  );
  expect(targetsNamed([])).toEqual(targets);
});
