// `verify` looks at all that lies on the media, not at the bundle alone.
import { copyFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { journey, type Journey } from '../support/journey.ts';

const INSTALLER = 'eck-airgap-linux-x64';
let site: Journey;
beforeEach(async () => {
  site = await journey();
  await mkdir(site.path('packaged'));
  for (const name of [INSTALLER, 'eck-airgap-linux-arm64']) await writeFile(site.path('packaged', name), name);
  const build = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--installers', 'packaged'];
  expect((await site.run(...build)).status).toBe(0);
});
afterEach(() => site.end());

const verify = (path = 'media', key = 'airgap.pub'): Promise<CliResult> =>
  site.run('verify', path, '--key', key, '--json');

interface Verified {
  readonly installers: readonly string[];
  readonly media: { readonly listed: string[]; readonly missing: string[]; readonly unlisted: string[] };
}

async function verified(path?: string): Promise<Verified & { stderr: string }> {
  const { status, stdout, stderr } = await verify(path);
  expect(status).toBe(0);
  return { ...(JSON.parse(stdout) as Verified), stderr };
}

async function refusal(path?: string, key?: string): Promise<[number, unknown, string]> {
  const { status, stdout } = await verify(path, key);
  const { error } = JSON.parse(stdout) as { error?: { code: string; message: string } };
  return [status, error?.code, error?.message ?? ''];
}

test.each(['media', 'media/site-alpha.tar'])('%s: a whole media folder has nothing to say', async (path) => {
  const { installers, media, stderr } = await verified(path);
  expect(installers).toEqual(['eck-airgap-linux-arm64', INSTALLER]);
  expect(media).toEqual({ listed: ['README.txt', 'transfer.html'], missing: [], unlisted: [] });
  expect(stderr).not.toContain('Warning');
});

test.each([INSTALLER, 'README.txt', 'transfer.html'])('%s that is missing is named', async (name) => {
  await rm(site.path('media', name));
  const { media, stderr } = await verified();
  expect(media).toMatchObject({ missing: [name], unlisted: [] });
  expect(stderr).toContain(`${name}: listed, and not on the media`);
});

test('an installer that was renamed is named twice: missing, and listed by nothing', async () => {
  await rename(site.path('media', INSTALLER), site.path('media', 'eck-airgap'));
  const { media, stderr } = await verified();
  expect(media).toMatchObject({ missing: [INSTALLER], unlisted: ['eck-airgap'] });
  expect(stderr).toContain('eck-airgap: on the media, and nothing that was signed lists it');
});

test('what else lies there is named: files, hidden ones, folders', async () => {
  await mkdir(site.path('media', 'tools'));
  for (const name of ['run-me-first.sh', '.autorun']) await writeFile(site.path('media', name), 'x');
  expect((await verified()).media.unlisted).toEqual(['.autorun', 'run-me-first.sh', 'tools/']);
});

describe.each(['media', 'media/site-alpha.tar'])('%s: exit 3 for', (path) => {
  test.each(['README.txt', 'transfer.html', INSTALLER])('%s that differs', async (name) => {
    await writeFile(site.path('media', name), 'run the program of this other folder');
    const [status, code, message] = await refusal(path);
    expect([status, code]).toEqual([3, 'BUNDLE_CORRUPT']);
    expect(message).toContain(name);
  });

  test.each(['README.txt', INSTALLER])('%s that is a link, be it to the same bytes', async (name) => {
    await rename(site.path('media', name), site.path(name));
    await symlink(site.path(name), site.path('media', name));
    expect((await refusal(path)).slice(0, 2)).toEqual([3, 'BUNDLE_CORRUPT']);
  });

  test('a changed SHA256SUMS, and one that somebody else signed', async () => {
    const sums = (await site.read('media', 'SHA256SUMS')).toString();
    await writeFile(site.path('media', 'SHA256SUMS'), `${sums}${'0'.repeat(64)}  run-me-first.sh\n`);
    expect((await refusal(path)).slice(0, 2)).toEqual([3, 'SIGNATURE_INVALID']);
    await site.run('keygen', '--out', 'other', '--no-passphrase');
    const other = ['build', 'airgap.yaml', '--key', 'other/airgap.key', '--out', 'theirs', '--installers', 'packaged'];
    await site.run(...other);
    for (const name of ['SHA256SUMS', 'SHA256SUMS.sig'])
      await copyFile(site.path('theirs', name), site.path('media', name));
    expect((await refusal(path)).slice(0, 2)).toEqual([3, 'SIGNATURE_INVALID']);
  });

  test('a SHA256SUMS without its signature', async () => {
    await rm(site.path('media', 'SHA256SUMS.sig'));
    expect((await refusal(path)).slice(0, 2)).toEqual([3, 'SIGNATURE_INVALID']);
  });
});

test('without SHA256SUMS nothing beside the bundle is vouched for', async () => {
  await rm(site.path('media', 'SHA256SUMS'));
  await rm(site.path('media', 'SHA256SUMS.sig'));
  const { installers, media } = await verified();
  expect(installers).toHaveLength(2);
  expect(media).toEqual({ listed: [], missing: [], unlisted: ['README.txt', 'transfer.html'] });
});

test('a tar in an archive with others is not held against their lists', async () => {
  await mkdir(site.path('archive'));
  await copyFile(site.path('media', 'site-alpha.tar'), site.path('archive', 'site-alpha.tar'));
  await writeFile(site.path('archive', 'SHA256SUMS'), `${'0'.repeat(64)}  last-year.tar\n`);
  await writeFile(site.path('archive', 'notes.txt'), 'x');
  const { media } = await verified('archive/site-alpha.tar');
  expect(media).toEqual({ listed: [], missing: ['eck-airgap-linux-arm64', INSTALLER], unlisted: [] });
});

test('volumes in several folders are held against the one list', async () => {
  const site2 = await journey();
  try {
    const build = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--volume-size', '1M'];
    expect((await site2.run(...build)).status).toBe(0);
    await mkdir(site2.path('second'));
    await rename(site2.path('media', 'site-alpha.tar.001'), site2.path('second', 'site-alpha.tar.001'));
    const { status, stdout } = await site2.run('verify', 'media', 'second', '--key', 'airgap.pub', '--json');
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as Verified).media).toMatchObject({ missing: [], unlisted: [] });
  } finally {
    await site2.end();
  }
});
