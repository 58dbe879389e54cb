// Ctrl-C in the middle of a transfer: exit 130, and the same command again finishes the work.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { memoryStore } from '../../src/registry/server/memory-store.ts';
import { PROGRAM, start, type Ended } from '../support/command-process.ts';
import { journey, type Journey } from '../support/journey.ts';
import { occasion, stallingDownloads, stallingUploads, withServer } from '../support/stalling.ts';

let site: Journey;

beforeEach(async () => {
  site = await journey();
});
afterEach(() => site.end());

/** Runs a command in a process of its own; `stalled` says when it is in the middle, and it is sent the signal then. */
async function interrupted(argv: readonly string[], stalled: Promise<void>, signal: NodeJS.Signals): Promise<Ended> {
  const { child, ended } = start([...PROGRAM, ...argv], { cwd: site.folder });
  await Promise.race([stalled, ended]);
  child.kill(signal);
  return ended;
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s during a build', async (signal) => {
  await site.run('lock', 'airgap.yaml', '--cache', 'elsewhere');
  const { reached, reach } = occasion();
  const result = await withServer(stallingDownloads(site.upstream.store, reach), async ({ port }) => {
    await site.writeSpec({ mirrors: { 'docker.elastic.co': `http://127.0.0.1:${port}` } });
    return interrupted(['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media'], reached, signal);
  });
  expect(result.status).toBe(130);
  expect(result.stderr).toContain('[INTERRUPTED]');
  expect(result.stderr).toContain('goes on where it stopped');
  await site.writeSpec();
  expect((await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media')).status).toBe(0);
  expect((await site.run('verify', 'media', '--key', 'airgap.pub')).status).toBe(0);
});

test('Ctrl-C during a load', async () => {
  await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media');
  const store = memoryStore();
  const { reached, reach } = occasion();
  const argv = (port: number) => ['load', 'media', '--key', 'airgap.pub', '--registry', `127.0.0.1:${port}`];
  const result = await withServer(stallingUploads(store, reach), ({ port }) =>
    interrupted(argv(port), reached, 'SIGINT'),
  );
  expect(result.status).toBe(130);
  expect((await (await store.repository('kibana/kibana'))?.tags()) ?? []).not.toContain('9.5.2');
  const again = await withServer(store, ({ port }) => site.run(...argv(port)));
  expect(again.status).toBe(0);
  expect(await (await store.repository('kibana/kibana'))?.tags()).toContain('9.5.2');
});
