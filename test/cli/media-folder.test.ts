// What lies in the folder of --out already: the same bundle is gone on with, another build is replaced when that is said, and
// what somebody else put there stays.
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { journey, type Journey } from '../support/journey.ts';

let site: Journey;
beforeEach(async () => {
  site = await journey();
});
afterEach(() => site.end());

const build = (...more: string[]): Promise<CliResult> =>
  site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--json', ...more);
const verify = (): Promise<CliResult> => site.run('verify', 'media', '--key', 'airgap.pub', '--json');

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}
const errorOf = ({ stdout }: CliResult): Failure | undefined => (JSON.parse(stdout) as { error?: Failure }).error;

/** Another bundle of this name, or of another one. */
async function change(name = 'site-alpha'): Promise<void> {
  await site.writeSpec({ metadata: { name }, images: site.images.slice(0, 1) });
  expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
}

describe('what no build wrote stays, with --replace too, and nothing is fetched', () => {
  test.each(['README.txt', 'transfer.html', 'SHA256SUMS', 'SHA256SUMS.sig', 'site-alpha.tar', 'site-alpha.tar.002'])(
    '%s',
    async (name) => {
      await mkdir(site.path('media'));
      await writeFile(site.path('media', name), 'mine');
      for (const more of [[], ['--replace']]) {
        site.upstream.forget();
        const result = await build(...more);
        expect([result.status, errorOf(result)?.code]).toEqual([2, 'FILE_EXISTS']);
        expect(errorOf(result)?.message).toContain(name);
        expect(site.upstream.requests.filter(({ path }) => path.includes('/blobs/') && more.length > 0)).toEqual([]);
      }
      expect((await site.read('media', name)).toString()).toBe('mine');
      expect(await readdir(site.path('media'))).toEqual([name]);
    },
  );

  test('a program of the name of an installer', async () => {
    await mkdir(site.path('media'));
    await writeFile(site.path('program'), 'itself');
    const program = { path: site.path('program'), platform: 'linux-x64' } as const;
    for (const bytes of ['mine, longer', 'mine  ']) {
      await writeFile(site.path('media', 'eck-airgap-linux-x64'), bytes);
      const args = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--json'];
      expect(errorOf(await site.runWith({ program }, ...args))?.code).toBe('FILE_EXISTS');
      expect((await site.read('media', 'eck-airgap-linux-x64')).toString()).toBe(bytes);
    }
  });

  test('a tar of something else, beside which "verify FOLDER" could not choose', async () => {
    await mkdir(site.path('media'));
    await writeFile(site.path('media', 'backup.tar'), 'mine');
    expect(errorOf(await build('--replace'))?.code).toBe('FILE_EXISTS');
    expect(await readdir(site.path('media'))).toEqual(['backup.tar']);
  });

  test('an unpacked bundle, which would be read in the place of the new one', async () => {
    await mkdir(site.path('media'));
    await writeFile(site.path('media', 'bundle.json'), '{}');
    expect(errorOf(await build('--replace'))?.code).toBe('FILE_EXISTS');
  });

  test('but what else lies there is no matter', async () => {
    await mkdir(site.path('media', 'docs.tar'), { recursive: true });
    await writeFile(site.path('media', 'notes.txt'), 'mine');
    await writeFile(site.path('media', '._site-alpha.tar'), 'of macOS');
    expect((await build()).status).toBe(0);
    expect((await site.read('media', 'notes.txt')).toString()).toBe('mine');
  });
});

describe('over the same build', () => {
  beforeEach(async () => expect((await build()).status).toBe(0));

  test('nothing is written, not even a signature', async () => {
    const before = await Promise.all((await readdir(site.path('media'))).map((name) => stat(site.path('media', name))));
    expect(JSON.parse((await build()).stdout)).toMatchObject({ bytesWritten: 0 });
    const after = await Promise.all((await readdir(site.path('media'))).map((name) => stat(site.path('media', name))));
    const identity = before.map(({ ino, mtimeMs }) => [ino, mtimeMs]);
    expect(after.map(({ ino, mtimeMs }) => [ino, mtimeMs])).toEqual(identity);
  });

  test('a text that was changed is written anew, with a warning', async () => {
    const text = await site.read('media', 'README.txt');
    await writeFile(site.path('media', 'README.txt'), 'changed');
    const again = await build();
    expect(again.status).toBe(0);
    expect(again.stderr).toContain('README.txt was changed');
    expect(await site.read('media', 'README.txt')).toEqual(text);
  });

  test('in another split, the first goes', async () => {
    expect((await build('--volume-size', '1M')).status).toBe(0);
    expect((await readdir(site.path('media'))).filter((name) => name.includes('.tar'))).toEqual(['site-alpha.tar.001']);
    expect((await verify()).status).toBe(0);
    expect((await build()).status).toBe(0);
    expect((await readdir(site.path('media'))).filter((name) => name.includes('.tar'))).toEqual(['site-alpha.tar']);
  });

  test('a tar that was lost is written again', async () => {
    await rm(site.path('media', 'site-alpha.tar'));
    expect((await build()).status).toBe(0);
    expect((await verify()).status).toBe(0);
  });
});

describe('over another build', () => {
  beforeEach(async () => expect((await build('--volume-size', '1M')).status).toBe(0));

  test.each(['site-alpha', 'site-beta'])(
    'of %s: refused before anything is fetched, and the old one is whole',
    async (name) => {
      await change(name);
      site.upstream.forget();
      const result = await build();
      expect([result.status, errorOf(result)?.code]).toEqual([2, 'FILE_EXISTS']);
      expect(errorOf(result)?.hint).toContain('--replace');
      expect(site.upstream.requests).toEqual([]);
      expect(JSON.parse((await verify()).stdout)).toMatchObject({ name: 'site-alpha', counts: { images: 2 } });
    },
  );

  test.each(['site-alpha', 'site-beta'])('with --replace, %s alone is there, and can be verified', async (name) => {
    await change(name);
    const result = await build('--replace');
    expect(result.status).toBe(0);
    expect((await readdir(site.path('media'))).sort()).toEqual(
      ['README.txt', 'SHA256SUMS', 'SHA256SUMS.sig', `${name}.tar`, 'transfer.html'].sort(),
    );
    expect(JSON.parse((await verify()).stdout)).toMatchObject({ name, counts: { images: 1 } });
  });

  test('of one lock, that expires at another time, too', async () => {
    const result = await build('--volume-size', '1M', '--expires', '2999-01-01');
    expect(errorOf(result)?.code).toBe('FILE_EXISTS');
    expect((await build('--volume-size', '1M', '--expires', '2999-01-01', '--replace')).status).toBe(0);
    expect((await verify()).status).toBe(0);
  });

  test('an installer that the new build does not have goes with --replace', async () => {
    await writeFile(site.path('program'), 'itself');
    const program = { path: site.path('program'), platform: 'linux-x64' } as const;
    const args = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--replace'];
    expect((await site.runWith({ program }, ...args)).status).toBe(0);
    expect(await readdir(site.path('media'))).toContain('eck-airgap-linux-x64');
    expect((await site.run(...args)).status).toBe(0);
    expect(await readdir(site.path('media'))).not.toContain('eck-airgap-linux-x64');
  });

  test('of which only the list is left, under another name', async () => {
    await rename(site.path('media', 'site-alpha.tar.001'), site.path('site-alpha.tar.001'));
    await change('site-beta');
    expect(errorOf(await build())?.code).toBe('FILE_EXISTS');
    expect((await build('--replace')).status).toBe(0);
  });
});
