// Ctrl-C in the middle of a transfer: exit 130, and the same command again finishes the work.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { memoryStore } from '../../src/registry/server/memory-store.ts';
import { serveRegistry, type RunningRegistry } from '../../src/registry/server/server.ts';
import type { RegistryStore } from '../../src/registry/server/store.ts';
import { journey, type Journey } from '../support/journey.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
let site: Journey;

beforeEach(async () => {
  site = await journey();
});
afterEach(() => site.end());

interface Ended {
  readonly status: number | null;
  readonly stderr: string;
}

/** Runs a command in a process of its own; `stalled` says when it is in the middle, and it is sent the signal then. */
async function interrupted(argv: readonly string[], stalled: Promise<void>, signal: NodeJS.Signals): Promise<Ended> {
  const env = { PATH: process.env['PATH'], XDG_CACHE_HOME: site.path('.cache'), XDG_STATE_HOME: site.path('.state') };
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd: site.folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  await Promise.race([stalled, ended]);
  child.kill(signal);
  return { status: await ended, stderr };
}

/** A promise that is kept from outside. */
function occasion(): { readonly reached: Promise<void>; readonly reach: () => void } {
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  return { reached, reach: () => reach() };
}

/** A store whose blobs stop in the middle. */
function stallingDownloads(store: RegistryStore, stalled: () => void): RegistryStore {
  return {
    repositories: () => store.repositories(),
    repository: async (name) => {
      const repository = await store.repository(name);
      return (
        repository && {
          ...repository,
          async *open(digest, start, end) {
            for await (const bytes of repository.open(digest, start, end)) {
              if ((await repository.blobSize(digest)) === undefined) {
                yield bytes;
                continue;
              }
              yield bytes.subarray(0, 10);
              stalled();
              await new Promise(() => undefined);
            }
          },
        }
      );
    },
  };
}

/** A store that takes no upload to its end. */
function stallingUploads(store: Required<RegistryStore>, stalled: () => void): RegistryStore {
  return {
    repositories: () => store.repositories(),
    repository: (name) => store.repository(name),
    writable: async (name) => ({
      ...(await store.writable(name)),
      appendUpload: async () => {
        stalled();
        return new Promise(() => undefined);
      },
    }),
  };
}

async function withServer<T>(store: RegistryStore, task: (server: RunningRegistry) => Promise<T>): Promise<T> {
  const server = await serveRegistry(store, { host: '127.0.0.1', port: 0 });
  try {
    return await task(server);
  } finally {
    await server.close();
  }
}

test.each(['SIGINT', 'SIGTERM'] as const)('%s during a build', async (signal) => {
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
