// The program that travels with the bundle: which one is put on the media, and that its digest is signed.
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { journey, type Journey } from '../support/journey.ts';
import { randomBytes } from '../support/random-image.ts';

const PROGRAMS = { 'eck-airgap-linux-x64': 'for x64', 'eck-airgap-linux-arm64': 'for arm64' };
let site: Journey;

beforeEach(async () => {
  site = await journey();
  await mkdir(site.path('packaged'));
  for (const [name, text] of Object.entries(PROGRAMS)) await writeFile(site.path('packaged', name), text);
});
afterEach(() => site.end());

const build = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--json'];
const verify = ['verify', 'media', '--key', 'airgap.pub', '--json'];

async function onMedia(): Promise<string[]> {
  return (await readdir(site.path('media'))).filter((name) => name.startsWith('eck-airgap'));
}

async function installersOf(): Promise<unknown> {
  const { stdout } = await site.run('inspect', 'media', '--json');
  return (JSON.parse(stdout) as { manifest: { installers: unknown } }).manifest.installers;
}

describe('build puts on the media', () => {
  test('itself, under the name of its platform, where it is packaged', async () => {
    await writeFile(site.path('renamed'), 'itself');
    const program = { path: site.path('renamed'), platform: 'linux-x64' } as const;
    expect((await site.runWith({ program }, ...build)).status).toBe(0);
    expect(await onMedia()).toEqual(['eck-airgap-linux-x64']);
    expect((await site.read('media', 'eck-airgap-linux-x64')).toString()).toBe('itself');
    expect((await stat(site.path('media', 'eck-airgap-linux-x64'))).mode & 0o777).toBe(0o755);
    const text = (await site.read('media', 'README.txt')).toString();
    expect(text).toContain('install -m 755 "$work/eck-airgap-linux-x64" /usr/local/bin/eck-airgap');
  });

  test('nothing, and says so, where it is not packaged', async () => {
    const { status, stderr } = await site.run(...build);
    expect(status).toBe(0);
    expect(stderr).toContain('no installer goes on the media');
    expect(await onMedia()).toEqual([]);
    expect(await installersOf()).toEqual([]);
  });

  test('nothing with --no-installer, though it is packaged, and README.txt says what to use', async () => {
    const program = { path: site.path('packaged', 'eck-airgap-linux-x64'), platform: 'linux-x64' } as const;
    const { status, stderr } = await site.runWith({ program }, ...build, '--no-installer');
    expect(status).toBe(0);
    expect(stderr).not.toContain('Warning');
    expect([await onMedia(), await installersOf()]).toEqual([[], []]);
    expect((await site.read('media', 'README.txt')).toString()).toContain('holds no program for Linux');
    expect((await site.run(...verify)).status).toBe(0);
    expect((await site.run(...build, '--no-installer', '--installers', 'packaged')).status).toBe(2);
    const wanted = ['--no-installer', '--installer', 'plan9-mips'];
    expect((await site.run(...build, ...wanted)).status).toBe(2);
  });

  test('all of a folder, with their digests in the signed manifest and in SHA256SUMS', async () => {
    expect((await site.run(...build, '--installers', 'packaged')).status).toBe(0);
    expect(await onMedia()).toEqual(Object.keys(PROGRAMS).sort());
    const expected = Object.entries(PROGRAMS).map(([name, text]) => ({
      name,
      digest: digestOf(Buffer.from(text)),
      size: text.length,
    }));
    expect(await installersOf()).toEqual(expected.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
    const sums = (await site.read('media', 'SHA256SUMS')).toString();
    for (const { name, digest } of expected) expect(sums).toContain(`${digest.slice(7)}  ${name}\n`);
  });

  test('one of several MiB, as it is, though it is hashed on another thread meanwhile', async () => {
    const bytes = randomBytes('an installer', 5 * 1024 * 1024 + 321);
    await writeFile(site.path('packaged', 'eck-airgap-linux-x64'), bytes);
    await site.run(...build, '--installers', 'packaged', '--installer', 'linux-x64');
    expect(await installersOf()).toEqual([
      { name: 'eck-airgap-linux-x64', digest: digestOf(bytes), size: bytes.byteLength },
    ]);
    expect((await site.read('media', 'eck-airgap-linux-x64')).equals(bytes)).toBe(true);
  });

  test('the wanted ones only; a second time nothing is written anew', async () => {
    const args = [...build, '--installers', 'packaged', '--installer', 'linux-arm64'];
    await site.run(...args);
    expect(await onMedia()).toEqual(['eck-airgap-linux-arm64']);
    const before = await stat(site.path('media', 'eck-airgap-linux-arm64'));
    await site.run(...args);
    const after = await stat(site.path('media', 'eck-airgap-linux-arm64'));
    expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs]);
  });

  test('what lies beside the packaged program', async () => {
    const program = { path: site.path('packaged', 'eck-airgap-linux-x64'), platform: 'linux-x64' } as const;
    await site.runWith({ program }, ...build, '--installer', 'linux-arm64', '--installer', 'linux-x64');
    expect(await onMedia()).toEqual(Object.keys(PROGRAMS).sort());
  });
});

describe('an installer that is asked for and absent', () => {
  test.each([
    { why: 'not in the folder', args: ['--installers', 'packaged', '--installer', 'win-x64'] },
    { why: 'not beside a program that is not packaged', args: ['--installer', 'linux-x64'] },
    { why: 'in a folder without any', args: ['--installers', '.'] },
  ])('$why: exit 4, and no bundle', async ({ args }) => {
    const { status, stdout } = await site.run(...build, ...args);
    expect(status).toBe(4);
    expect((JSON.parse(stdout) as { error: { code: string } }).error.code).toBe('BUNDLE_INCOMPLETE');
    await expect(stat(site.path('media'))).rejects.toThrow('ENOENT');
    expect(site.upstream.requests).toEqual([]);
  });

  test('a platform that there is none for is a mistake in the command line', async () => {
    expect((await site.run(...build, '--installer', 'plan9-mips')).status).toBe(2);
  });
});

describe('verify', () => {
  beforeEach(async () => {
    await site.run(...build, '--installers', 'packaged');
  });

  test('names the installers beside the bundle that are the signed ones', async () => {
    const { status, stdout } = await site.run(...verify);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as { installers: unknown }).installers).toEqual(Object.keys(PROGRAMS).sort());
  });

  test.each(['changed one', 'for x65', ''])('refuses one that says %j', async (text) => {
    await writeFile(site.path('media', 'eck-airgap-linux-x64'), text);
    const { status, stdout } = await site.run(...verify);
    expect(status).toBe(3);
    expect(stdout).toContain('eck-airgap-linux-x64 is not the installer that was signed');
  });
});
