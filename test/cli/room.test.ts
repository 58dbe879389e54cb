// How large a bundle is and what is free is said, and refused, before anything is fetched.
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DiskSpace, SpaceAt } from '../../src/core/disk-space.ts';
import type { CliResult } from '../support/cli.ts';
import { journey, type Journey } from '../support/journey.ts';

const BUILD = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--json'];
const LARGE = 1024 ** 4;

let site: Journey;
beforeEach(async () => {
  site = await journey();
  expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
  site.upstream.forget();
});
afterEach(() => site.end());

/** Two file systems: that of the media, and that of the cache. */
function spaces(media: Partial<DiskSpace>, cache: Partial<DiskSpace> = {}): SpaceAt {
  const [outside, inside] = [media, cache].map((given, device) => ({ device, free: LARGE, ...given }));
  return async (path) => (path.startsWith(site.path('media')) ? outside : inside);
}

const build = (space: SpaceAt, ...more: string[]): Promise<CliResult> => site.runWith({ space }, ...BUILD, ...more);

interface Plan {
  readonly bytes: number;
  readonly toFetch: { readonly blobs: number; readonly bytes: number };
  readonly output: { readonly needed: number; readonly there: number; readonly free?: number };
  readonly onMedia: readonly { readonly name: string }[];
}

async function planned(space: SpaceAt = spaces({}), ...more: string[]): Promise<Plan> {
  const { status, stdout } = await build(space, '--dry-run', ...more);
  expect(status).toBe(0);
  return JSON.parse(stdout) as Plan;
}

function errorOf({ stdout }: CliResult): { code?: string; hint?: string } {
  return (JSON.parse(stdout) as { error?: { code: string; hint?: string } }).error ?? {};
}

/** Refused, with nothing fetched and nothing written. */
async function refused(result: CliResult, code: string): Promise<void> {
  expect(errorOf(result).code).toBe(code);
  expect(site.upstream.requests).toEqual([]);
  expect(await readdir(site.folder)).not.toContain('media');
}

describe('a build is refused before the first byte', () => {
  test('where the media are too small', async () => {
    const { output } = await planned();
    const result = await build(spaces({ free: output.needed - 1 }));
    expect(result.status).toBe(1);
    await refused(result, 'DISK_FULL');
  });

  test('where the cache is too small', async () => {
    const { toFetch } = await planned();
    expect(toFetch.bytes).toBeGreaterThan(0);
    await refused(await build(spaces({}, { free: toFetch.bytes - 1 })), 'DISK_FULL');
  });

  test('where both are on one file system, which has room for either alone', async () => {
    const { output, toFetch } = await planned();
    const free = output.needed + toFetch.bytes - 1;
    await refused(await build(spaces({ device: 7, free }, { device: 7, free })), 'DISK_FULL');
    expect((await build(spaces({ device: 7, free: free + 1 }, { device: 7, free: free + 1 }))).status).toBe(0);
  });

  test('on FAT, where one file would be too large, with --volume-size as the way out', async () => {
    const result = await build(spaces({ largestFile: 1000 }));
    expect(result.status).toBe(2);
    await refused(result, 'USAGE');
    expect(errorOf(result).hint).toContain('--volume-size 4G');
    expect((await build(spaces({ largestFile: 2 * 1024 ** 2 }), '--volume-size', '1M')).status).toBe(0);
  });
});

describe('what is there already counts', () => {
  test('a whole bundle needs nothing more', async () => {
    expect((await build(spaces({}))).status).toBe(0);
    const again = await build(spaces({ free: 10_000 }, { free: 0 }));
    expect(JSON.parse(again.stdout)).toMatchObject({ bytesWritten: 0 });
  });

  test('so does what an interrupted build left', async () => {
    const { output } = await planned();
    await mkdir(site.path('media'));
    await writeFile(site.path('media', 'site-alpha.tar.partial'), '');
    await truncate(site.path('media', 'site-alpha.tar.partial'), output.needed - 100);
    expect((await planned(spaces({ free: 100 }))).output.there).toBe(output.needed - 100);
    expect(errorOf(await build(spaces({ free: 99 }))).code).toBe('DISK_FULL');
    expect((await build(spaces({ free: 100 }))).status).toBe(0);
  });
});

test('where the system does not say what is free, a build goes on', async () => {
  expect((await build(async () => undefined)).status).toBe(0);
});

test('a build says what it will fetch and what is free', async () => {
  const { stderr } = await build(spaces({ free: 2 ** 40 }));
  expect(stderr).toMatch(/the bundle will have about .*are to be fetched.*1\.00 TiB free in .*media/);
});

test('lock says what the bundle will have, and warns where the cache cannot take it', async () => {
  const lock = ['lock', 'airgap.yaml', '--json'];
  const { stdout, stderr } = await site.runWith({ space: spaces({}, { free: 10 }) }, ...lock);
  const locked = JSON.parse(stdout) as Plan;
  expect(locked.bytes).toBe((await planned()).bytes);
  expect(locked.toFetch.bytes).toBeGreaterThan(10);
  expect(stderr).toContain('10 B are free');
});

describe('build --dry-run', () => {
  test('names every file that a build writes, and the size that the bundle has', async () => {
    const plan = await planned();
    const built = JSON.parse((await build(spaces({}))).stdout) as { bytes: number };
    expect(plan.onMedia.map(({ name }) => name).sort()).toEqual((await readdir(site.path('media'))).sort());
    expect(plan.bytes).toBeLessThanOrEqual(built.bytes);
    expect(built.bytes - plan.bytes).toBeLessThan(64 * 1024);
    expect((await planned()).toFetch).toEqual({ blobs: 0, bytes: 0 });
  });

  test('writes nothing, fetches no layer, needs no key, and no lock', async () => {
    const other = await journey();
    try {
      const before = (await readdir(other.folder)).sort();
      const result = await other.run('build', 'airgap.yaml', '--out', 'media', '--dry-run', '--json');
      expect(result.status).toBe(0);
      expect((JSON.parse(result.stdout) as Plan).toFetch.blobs).toBeGreaterThan(0);
      expect((await readdir(other.folder)).filter((name) => name !== '.cache').sort()).toEqual(before);
      const lock = await other.run('lock', 'airgap.yaml');
      expect(lock.status).toBe(0);
      const fetched = await readdir(other.path('.cache', 'eck-airgap', 'blobs', 'sha256'));
      await other.run('build', 'airgap.yaml', '--out', 'media', '--dry-run');
      expect(await readdir(other.path('.cache', 'eck-airgap', 'blobs', 'sha256'))).toEqual(fetched);
    } finally {
      await other.end();
    }
  });

  test('is refused as the build would be', async () => {
    expect(errorOf(await build(spaces({ free: 1 }), '--dry-run')).code).toBe('DISK_FULL');
    await mkdir(site.path('media'));
    await writeFile(site.path('media', 'README.txt'), 'mine');
    expect(errorOf(await build(spaces({}), '--dry-run')).code).toBe('FILE_EXISTS');
  });
});
