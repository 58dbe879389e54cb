import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contentOf } from '../../../src/oci/content.ts';
import { descriptorOf } from '../../../src/oci/descriptor.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { diskStore } from '../../../src/registry/server/disk-store.ts';
import { memoryStore } from '../../../src/registry/server/memory-store.ts';
import { serveRegistry, type RunningRegistry, type ServeOptions } from '../../../src/registry/server/server.ts';
import type { RegistryStore } from '../../../src/registry/server/store.ts';
import { api, sha256 } from '../../support/api.ts';
import { pushGraph, randomBytes, randomIndex } from '../../support/random-image.ts';
import { rejected } from '../../support/thrown.ts';
import { authority, certificate, key } from '../../support/tls-fixture.ts';

let folder: string;
const running: RunningRegistry[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-server-'));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((registry) => registry.close()));
  await rm(folder, { recursive: true, force: true });
});

async function serve(
  options: Partial<ServeOptions> = {},
  store: RegistryStore = memoryStore(),
): Promise<RunningRegistry> {
  const registry = await serveRegistry(store, { host: '127.0.0.1', port: 0, ...options });
  running.push(registry);
  return registry;
}

const HTPASSWD = `alice:${hashSync('s3cret', 4)}\n`;
const basic = (text: string) => ({ headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } });

describe('listening', () => {
  test('beyond loopback without TLS needs to be asked for', async () => {
    expect((await rejected(serve({ host: '0.0.0.0' }))).code).toBe('TLS_REQUIRED');
    expect((await serve({ host: '0.0.0.0', plainHttp: true })).port).toBeGreaterThan(0);
  });

  test('with passwords beyond loopback needs TLS, whatever is asked for', async () => {
    expect((await rejected(serve({ host: '0.0.0.0', plainHttp: true, htpasswd: HTPASSWD }))).code).toBe('TLS_REQUIRED');
  });

  test('on an address that is taken is LISTEN_FAILED', async () => {
    const { port } = await serve();
    expect((await rejected(serve({ port }))).code).toBe('LISTEN_FAILED');
  });

  test('with a certificate that is none is TLS_FAILED', async () => {
    expect((await rejected(serve({ tls: { cert: 'no', key: 'no' } }))).code).toBe('TLS_FAILED');
  });
});

describe('htpasswd', () => {
  test('lets in who has the password, again and again, and nobody else', async () => {
    const ask = api((await serve({ htpasswd: HTPASSWD })).url);
    expect((await ask('GET', '/v2/', basic('alice:s3cret'))).status).toBe(200);
    expect((await ask('GET', '/v2/', basic('alice:s3cret'))).status).toBe(200);
    for (const wrong of ['alice:other', 'bob:s3cret', 'alice:', 'alice'])
      expect((await ask('GET', '/v2/', basic(wrong))).status, wrong).toBe(401);
    const anonymous = await ask('GET', '/v2/');
    expect([anonymous.status, anonymous.codes, anonymous.headers['www-authenticate']]).toEqual([
      401,
      ['UNAUTHORIZED'],
      'Basic realm="eck-airgap"',
    ]);
  });

  test.each(['alice:plain', 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 'no colon', ''])(
    'the line %j is refused without showing it',
    async (line) => {
      const error = await rejected(serve({ htpasswd: line }));
      expect(error.code).toBe('CONFIG_INVALID');
      if (line !== '') expect(error.message).not.toContain(line);
    },
  );
});

test('over TLS with an account, our own client pushes and pulls', async () => {
  const { port } = await serve({ tls: { cert: certificate, key }, htpasswd: HTPASSWD });
  const registry = new Registry(`localhost:${port}`, {
    ca: authority,
    credentials: { find: async () => ({ kind: 'basic', username: 'alice', password: 's3cret' }) },
  });
  const index = randomIndex('tls');
  await pushGraph(registry.repository('a/b'), index, '1');
  expect((await registry.repository('a/b').resolve('1')).digest).toBe(index.root.digest);
  await registry.close();
  const stranger = new Registry(`localhost:${port}`, { retries: 0 });
  expect((await rejected(stranger.repository('a/b').resolve('1'))).code).toBe('TLS_FAILED');
  await stranger.close();
});

test('a read-only store answers 405 to every write', async () => {
  const store = memoryStore();
  const writable = api((await serve({}, store)).url);
  const digest = await writable.pushBlob('a/b', Buffer.from('content'));
  const ask = api((await serve({}, { repositories: store.repositories, repository: store.repository })).url);
  expect((await ask('GET', `/v2/a/b/blobs/${digest}`)).status).toBe(200);
  for (const [method, path] of [
    ['POST', '/v2/a/b/blobs/uploads/'],
    ['PUT', '/v2/a/b/manifests/1'],
    ['DELETE', `/v2/a/b/blobs/${digest}`],
    ['DELETE', '/v2/a/b/manifests/1'],
  ] as const) {
    expect((await ask(method, path)).codes, `${method} ${path}`).toEqual(['UNSUPPORTED']);
  }
});

test('what arrived of a chunk before the connection broke is kept, and an upload survives a restart', async () => {
  const content = randomBytes('reset', 200_000);
  const first = await serve({}, await diskStore(folder));
  const location = (await api(first.url)('POST', '/v2/a/b/blobs/uploads/')).headers['location'] ?? '';
  await sendAndBreak(first.port, location, content.subarray(0, 150_000));
  await first.close();
  const ask = api((await serve({}, await diskStore(folder))).url);
  const status = await ask('GET', location);
  const have = Number(/^0-([0-9]+)$/.exec(status.headers['range'] ?? '')?.[1]) + 1;
  expect(have).toBeGreaterThan(1);
  expect(have).toBeLessThanOrEqual(150_000);
  const done = await ask('PUT', `${location}?digest=${sha256(content)}`, { body: content.subarray(have) });
  expect(done.status).toBe(201);
});

/** Says that 200,000 bytes follow, sends fewer, and breaks off when the server has read some. */
function sendAndBreak(port: number, path: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`PATCH ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n`);
      socket.write(bytes, () => socket.destroy());
    });
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
}

test('a body that cannot be read to its end breaks the connection instead of looking whole', async () => {
  const content = randomBytes('broken', 3_000_000);
  const store: RegistryStore = {
    repositories: async () => ['a/b'],
    repository: async () => ({
      manifest: async () => undefined,
      blobSize: async () => content.byteLength,
      tags: async () => [],
      referrers: async () => [],
      async *open() {
        yield content.subarray(0, 1_000_000);
        throw new Error('the medium failed');
      },
    }),
  };
  const ask = api((await serve({}, store)).url);
  await expect(ask('GET', `/v2/a/b/blobs/${sha256(content)}`)).rejects.toThrow();
});

test('equal blobs pushed at once end as one', async () => {
  const store = await diskStore(folder);
  const registry = new Registry(`127.0.0.1:${(await serve({}, store)).port}`);
  const content = randomBytes('same', 300_000);
  const descriptor = descriptorOf(content, 'application/octet-stream');
  await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => registry.repository(`x/${name}`).push(descriptor, contentOf(content))),
  );
  for (const name of ['a', 'b', 'c', 'd']) expect(await registry.repository(`x/${name}`).exists(descriptor)).toBe(true);
  await registry.close();
});
