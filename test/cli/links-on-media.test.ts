// Links that lie on the media, or where a command writes: a file of the host is never overwritten through one, and a bundle
// that is not on the media is not called written.
import { link, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { journey, type Journey } from '../support/journey.ts';

let site: Journey;
beforeEach(async () => {
  site = await journey();
  await writeFile(site.path('of-the-host'), 'of the host');
  await mkdir(site.path('media'));
});
afterEach(() => site.end());

const BUILD = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--json'];

const codeOf = ({ stdout }: CliResult): unknown => (JSON.parse(stdout) as { error?: { code?: string } }).error?.code;
const host = async (): Promise<string> => (await site.read('of-the-host')).toString();

describe.each([
  { how: 'a symbolic link', plant: (path: string) => symlink(site.path('of-the-host'), path) },
  { how: 'a symbolic link to nothing', plant: (path: string) => symlink(site.path('not-there-yet'), path) },
  { how: 'a hard link', plant: (path: string) => link(site.path('of-the-host'), path) },
])('$how', ({ plant }) => {
  test.each([
    ['site-alpha.tar', []],
    ['site-alpha.tar.partial', []],
    ['site-alpha.tar.001', ['--volume-size', '1M']],
    ['site-alpha.tar.001.partial', ['--volume-size', '1M']],
    ['eck-airgap-linux-x64', []],
  ])('with the name %s stops a build', async (name, more) => {
    await plant(site.path('media', name));
    await writeFile(site.path('program'), 'itself');
    const program = { path: site.path('program'), platform: 'linux-x64' } as const;
    const result = await site.runWith({ program }, ...BUILD, ...more);
    expect([result.status, codeOf(result)]).toEqual([2, 'PATH_INVALID']);
    expect(result.stdout).toContain(name);
    expect(await host()).toBe('of the host');
    expect(await readdir(site.folder)).not.toContain('not-there-yet');
  });

  test.each(['out', 'out.partial'])('with the name %s stops an export', async (name) => {
    expect((await site.run(...BUILD)).status).toBe(0);
    await plant(site.path(name));
    const args = ['export', 'media', 'airgap.lock.yaml', '--key', 'airgap.pub', '--out', 'out', '--json'];
    const result = await site.run(...args);
    expect([result.status, codeOf(result)]).toEqual([2, 'PATH_INVALID']);
    expect(await host()).toBe('of the host');
    expect(await readdir(site.folder)).not.toContain('not-there-yet');
  });

  test.each(['airgap.key', 'airgap.pub', 'trust-card.txt'])('with the name %s stops keygen', async (name) => {
    await mkdir(site.path('keys'));
    await plant(site.path('keys', name));
    const result = await site.run('keygen', '--out', 'keys', '--no-passphrase', '--json');
    expect([result.status, codeOf(result)]).toEqual([2, 'FILE_EXISTS']);
    expect(await readdir(site.path('keys'))).toEqual([name]);
    expect(await host()).toBe('of the host');
  });

  test('in the cache, where a blob comes in, is not written through', async () => {
    expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
    const ingest = site.path('.cache', 'eck-airgap', 'ingest');
    const cached = new Set(await readdir(site.path('.cache', 'eck-airgap', 'blobs', 'sha256')));
    const layers = (await readdir(ingest)).length === 0 ? await missingBlobs(cached) : [];
    expect(layers.length).toBeGreaterThan(0);
    for (const hex of layers) await plant(join(ingest, hex));
    const result = await site.run(...BUILD);
    expect(codeOf(result)).toBe('PATH_INVALID');
    expect(await host()).toBe('of the host');
  });
});

/** Blobs of the lock's images that a build has still to fetch. */
async function missingBlobs(cached: ReadonlySet<string>): Promise<string[]> {
  const { images } = await site.readLock();
  const manifests = await Promise.all(
    images.map(async ({ digest }) =>
      readFile(site.path('.cache', 'eck-airgap', 'blobs', 'sha256', digest.slice('sha256:'.length)), 'utf8'),
    ),
  );
  const layers = manifests.flatMap((text) => (JSON.parse(text) as { layers: { digest: string }[] }).layers);
  return layers.map(({ digest }) => digest.slice('sha256:'.length)).filter((hex) => !cached.has(hex));
}
