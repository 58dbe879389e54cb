// SIGKILL at every named step of build and of load: the next run ends with the same digests and does no finished work again.
// The steps are those that an undisturbed run reports, so a new step is a new case by itself.
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { journey, type Journey, type RecordingRegistry } from '../support/journey.ts';
import { killedAt } from '../support/killed.ts';

let site: Journey;

beforeEach(async () => {
  site = await journey();
});
afterEach(() => site.end());

const BUILD = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--volume-size', '1M'];

/** Each step once, with how often it came. */
function stepsOf(result: CliResult): [string, number][] {
  const counts = new Map<string, number>();
  for (const event of result.events)
    if (event.type === 'step') counts.set(event.step, (counts.get(event.step) ?? 0) + 1);
  return [...counts];
}

/** The first, the middle and the last time a step comes. */
function occasions(count: number): number[] {
  return [...new Set([1, Math.ceil(count / 2), count])];
}

function blobDownloads(registry: RecordingRegistry): string[] {
  return registry.requests
    .filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
    .map(({ path }) => path);
}

function blobUploads(registry: RecordingRegistry): string[] {
  return registry.requests
    .filter(({ method, status, path }) => method === 'PUT' && status === 201 && path.includes('/blobs/'))
    .map(({ path }) => new URLSearchParams(path.split('?')[1]).get('digest') ?? '');
}

/** The bundle's bytes without what a new signature changes: the digest of bundle.json names all of them. */
async function bundleDigest(media: string): Promise<string> {
  const result = await site.run('inspect', media, '--json');
  expect(result.status).toBe(0);
  return (JSON.parse(result.stdout) as { digest: string }).digest;
}

describe('a build that is killed', () => {
  test('at any named step goes on where it was', { timeout: 240_000 }, async () => {
    const reference = await site.run(
      'build',
      'airgap.yaml',
      '--key',
      'airgap.key',
      '--out',
      'reference',
      '--cache',
      'reference-cache',
      '--volume-size',
      '1M',
    );
    expect(reference.status).toBe(0);
    const digest = await bundleDigest('reference');
    const steps = stepsOf(reference);
    expect(steps.map(([step]) => step)).toEqual(
      expect.arrayContaining([
        'cache:ingest',
        'cache:landed',
        'cache:renamed',
        'fetch:done',
        'bundle:front',
        'bundle:entry',
        'bundle:written',
        'build:media',
      ]),
    );
    let kept = 0;
    for (const [step, count] of steps) {
      if (step.startsWith('lock:')) continue; // the reference run wrote the lock
      for (const nth of occasions(count)) {
        const at = `${step} (${nth} of ${count})`;
        const out = `media-${step}-${nth}`;
        const argv = [
          'build',
          'airgap.yaml',
          '--key',
          'airgap.key',
          '--out',
          out,
          '--cache',
          `cache-${step}-${nth}`,
          '--volume-size',
          '1M',
        ];
        expect(await killedAt(step, nth, { cwd: site.folder, argv }), at).toBe(true);
        const whole = await readdir(site.path(`cache-${step}-${nth}`, 'blobs', 'sha256')).catch(() => []);
        kept += whole.length;
        site.upstream.forget();
        const again = await site.run(...argv);
        expect(again.stderr, at).not.toContain('Error');
        expect(again.status, at).toBe(0);
        expect(await bundleDigest(out), at).toBe(digest);
        expect((await site.run('verify', out, '--key', 'airgap.pub')).status, at).toBe(0);
        expect(
          (await readdir(site.path(out))).filter((name) => /partial|lock|tmp/.test(name)),
          at,
        ).toEqual([]);
        // what was whole in the cache is not fetched again
        const downloads = blobDownloads(site.upstream);
        expect(
          downloads.filter((path) => whole.some((hex) => path.endsWith(hex))),
          at,
        ).toEqual([]);
      }
    }
    expect(kept).toBeGreaterThan(0);
  });

  test('while it locks leaves no half a lock', async () => {
    expect(await killedAt('lock:written', 1, { cwd: site.folder, argv: BUILD })).toBe(true);
    const first = await site.read('airgap.lock.yaml');
    expect((await site.run(...BUILD)).status).toBe(0);
    expect(await site.read('airgap.lock.yaml')).toEqual(first);
  });
});

describe('a load that is killed', () => {
  test('at any named step goes on where it was', { timeout: 240_000 }, async () => {
    expect((await site.run(...BUILD)).status).toBe(0);
    const argvFor = (prefix: string) => [
      'load',
      'media',
      '--key',
      'airgap.pub',
      '--registry',
      `${site.enclave.host}/${prefix}`,
    ];
    const reference = await site.run(...argvFor('reference'));
    const steps = stepsOf(reference);
    expect(steps.map(([step]) => step)).toEqual(
      expect.arrayContaining(['load:push', 'load:pushed', 'load:tagged', 'load:receipt']),
    );
    for (const [i, [step, count]] of steps.entries()) {
      for (const nth of occasions(count)) {
        const at = `${step} (${nth} of ${count})`;
        const argv = argvFor(`run-${i}-${nth}`);
        site.enclave.forget();
        expect(await killedAt(step, nth, { cwd: site.folder, argv }), at).toBe(true);
        const again = await site.run(...argv);
        expect(again.status, at).toBe(0);
        for (const name of site.images) {
          const path = name.replace('docker.elastic.co/', '').replace(/:.*/, '');
          const [wanted, found] = [
            await site.enclave.store.repository(`reference/${path}`),
            await site.enclave.store.repository(`run-${i}-${nth}/${path}`),
          ];
          expect((await found?.manifest('9.5.2'))?.digest, at).toBe((await wanted?.manifest('9.5.2'))?.digest);
        }
        const uploads = blobUploads(site.enclave);
        expect(uploads, at).not.toEqual([]);
        expect(new Set(uploads).size, at).toBe(uploads.length);
      }
    }
  });
});
