// Requests that are hostile or unlucky, and answers that must not look whole when they are not.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AirgapEvent } from '../../../src/core/events.ts';
import { Registry } from '../../../src/registry/registry.ts';
import type { RequestInfo } from '../../../src/registry/server/answer.ts';
import type { RunningRegistry } from '../../../src/registry/server/server.ts';
import type { RegistryStore, RepositoryStore } from '../../../src/registry/server/store.ts';
import { api, sha256 } from '../../support/api.ts';
import { rawConnection, rawRequest } from '../../support/raw-http.ts';
import { authority, certificate, key } from '../../support/tls-fixture.ts';
import { openRegistries, STORE_KINDS, type Registries } from '../../support/stores.ts';

const MIB = 1024 * 1024;
const BLOB = `/v2/a/b/blobs/${sha256('any')}`;

let registries: Registries;
beforeEach(async () => {
  registries = await openRegistries();
});
afterEach(() => registries.end());

/** A store with one repository, a/b, whose every blob has `size` bytes and the content that `open` yields. */
function blobStore(size: number, open: RepositoryStore['open']): RegistryStore {
  const repository: RepositoryStore = {
    manifest: async () => undefined,
    blobSize: async () => size,
    open,
    tags: async () => [],
    referrers: async () => [],
  };
  return { repositories: async () => ['a/b'], repository: async (name) => (name === 'a/b' ? repository : undefined) };
}

const get = (target: string): string[] => [`GET ${target} HTTP/1.1`, 'host: x', 'connection: close'];

describe.each(STORE_KINDS)('request targets, over the %s store', (kind) => {
  test.each([
    ['/v2/../../etc/passwd', 404],
    ['/v2/a/../../../etc/manifests/passwd', 400],
    ['/v2/a/b/manifests/..', 404],
    ['/v2/a/b/manifests/%2e%2e%2f%2e%2e%2fetc%2fpasswd', 404],
    ['/v2/a%00b/manifests/1', 400],
    ['/v2/a/b/manifests/1%00', 404],
    ['/v2/a/b/blobs/sha256:..%2f..%2f..%2fetc%2fpasswd', 404],
    [`/v2/a/b/blobs/sha256:${'../'.repeat(21)}x`, 404],
    ['/v2/a/b/blobs/uploads/..', 404],
    ['/v2/a/b/blobs/uploads/%2e%2e%2f%2e%2e%2f_tags%2fx', 404],
    ['/v2/_catalog/../a', 404],
    ['/v2/_uploads/manifests/1', 400],
    ['/v2/a/_manifests/manifests/1', 400],
    [`/v2/${'a/'.repeat(200)}b/manifests/1`, 400],
    ['/v2/%ff/manifests/1', 400],
    ['/v2/%/manifests/1', 400],
    ['//', 404],
    ['//elsewhere/v2/', 404],
    ['http://elsewhere/v2/', 200],
    ['http://elsewhere', 404],
    ['/v2?x=%ff', 200],
    ['*', 404],
  ])('%s is answered %d', async (target, status) => {
    const { port } = await registries.serve(kind);
    await api(`http://127.0.0.1:${port}`).pushBlob('a/b', Buffer.from('content'));
    const answer = await rawRequest(port, get(target));
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status !== 200) expect(answer).toContain('"errors":[{"code":"');
    expect(answer).not.toContain(registries.folder);
  });
});

describe('patience', () => {
  test('a header that does not end is 408, and the connection ends', async () => {
    const { port } = await registries.serve('memory', { patience: { header: 50 } });
    const connection = rawConnection(port);
    connection.socket.write('GET /v2/ HTTP/1.1\r\nhost: x\r\nx-slow: ');
    expect(await connection.ended).toMatch(/^HTTP\/1\.1 408 /);
  });
  test('a body that does not go on ends the connection, and what came of it is kept', async () => {
    const { port, url } = await registries.serve('memory', { patience: { idle: 100 } });
    const location = (await api(url)('POST', '/v2/a/b/blobs/uploads/')).headers['location'] ?? '';
    const connection = rawConnection(port);
    connection.socket.write(`PATCH ${location} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhello`);
    await connection.ended;
    expect((await api(url)('GET', location)).headers['range']).toBe('0-4');
  });
  test('a header over 16 KiB is 431', async () => {
    const { port } = await registries.serve('memory');
    expect(await rawRequest(port, [...get('/v2/'), `x-long: ${'x'.repeat(17_000)}`])).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('patience with the server itself', () => {
  test('a client that waits for bytes of ours is not taken for an idle one', async () => {
    const gate = Promise.withResolvers<undefined>();
    const store = blobStore(10, async function* () {
      yield Buffer.from('first');
      await gate.promise;
      yield Buffer.from(' last');
    });
    const { port } = await registries.serve(store, { patience: { idle: 30 } });
    const waiting = rawConnection(port);
    waiting.socket.write(`GET ${BLOB} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    await waiting.until(/first$/);
    // each ends when it was idle for as long as the server allows, one after the other
    for (let i = 0; i < 3; i++) await rawConnection(port).ended;
    gate.resolve(undefined);
    expect(await waiting.ended).toMatch(/first last$/);
  });
});

describe('requests that are sent ahead', () => {
  test('are answered one after the other', async () => {
    let running = 0;
    const store = blobStore(4, async function* () {
      expect(++running).toBe(1);
      yield Buffer.from('blob');
      running--;
    });
    const { port } = await registries.serve(store);
    const head = get(BLOB).slice(0, 2).join('\r\n');
    const answers = await rawRequest(port, [`${head}\r\n\r\n${head}\r\n\r\n${get(BLOB).join('\r\n')}`]);
    expect(answers.match(/\r\n\r\nblob/g)).toHaveLength(3);
  });

  test('in hundreds end the connection before they are kept in memory, and others are served', async () => {
    let opened = 0;
    const store = blobStore(4, async function* () {
      opened++;
      yield Buffer.from('blob');
    });
    const { port, url } = await registries.serve(store);
    const connection = rawConnection(port);
    connection.socket.write(`GET ${BLOB} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(400));
    await connection.ended;
    expect(opened).toBeLessThanOrEqual(8);
    expect((await api(url)('GET', BLOB)).body.toString()).toBe('blob');
  });
});

describe('a body from the store', () => {
  test('that is lent is sent as it was, each piece before the next one is asked for', async () => {
    const size = 30 * 100_000;
    const store = blobStore(size, () => expect.unreachable('it is lent'));
    const repository = await store.repository('a/b');
    const lending: RepositoryStore = {
      ...(repository as RepositoryStore),
      async *borrow(_, { start, end }) {
        const memory = Buffer.alloc(100_000);
        for (let at = start; at < end; at += memory.byteLength) {
          yield { bytes: memory.fill(at / memory.byteLength) };
          memory.fill(255);
        }
      },
    };
    const { url } = await registries.serve({ ...store, repository: async () => lending });
    const { body } = await api(url)('GET', BLOB);
    expect(body.equals(Buffer.concat(Array.from({ length: 30 }, (_, i) => Buffer.alloc(100_000, i))))).toBe(true);
  });

  test.each([
    ['ends early', 100],
    ['has more than was promised', 300],
    ['has nothing', 0],
  ])('that %s breaks the connection instead of looking whole', async (_, length) => {
    const events: AirgapEvent[] = [];
    const store = blobStore(200, async function* () {
      if (length > 0) yield Buffer.alloc(length);
    });
    const { port } = await registries.serve(store, { report: (event) => events.push(event) });
    const answer = await rawRequest(port, [`GET ${BLOB} HTTP/1.1`, 'host: x']);
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4).length).toBeLessThan(200);
    expect(events).toMatchObject([{ type: 'warning' }]);
  });

  test('that fails is reported, with the request', async () => {
    const events: AirgapEvent[] = [];
    const store = blobStore(200, async function* () {
      yield Buffer.alloc(100);
      throw new Error('the medium failed');
    });
    const { url } = await registries.serve(store, { report: (event) => events.push(event) });
    await expect(api(url)('GET', BLOB)).rejects.toThrow();
    expect(events).toEqual([{ type: 'warning', message: `GET ${BLOB}: the medium failed` }]);
  });

  test('is not read further than the client takes it, and is let go when the client leaves', async () => {
    let read = 0;
    const over: { let?: () => void } = {};
    const letGo = new Promise<void>((resolve) => (over.let = resolve));
    const events: AirgapEvent[] = [];
    const store = blobStore(1024 * MIB, async function* () {
      try {
        for (; read < 1024; read++) yield Buffer.alloc(MIB);
      } finally {
        over.let?.();
      }
    });
    const { port, url } = await registries.serve(store, { report: (event) => events.push(event) });
    const slow = rawConnection(port);
    slow.socket.write(`GET ${BLOB} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await slow.until(/^HTTP\/1\.1 200 /);
    slow.socket.pause();
    for (let i = 0; i < 50; i++) await api(url)('GET', '/v2/');
    expect(read).toBeLessThan(64);
    slow.socket.destroy();
    await letGo;
    expect(events).toEqual([]);
  });
});

describe('closing', () => {
  test('ends connections that wait for nothing at once', async () => {
    const registry = await registries.serve('memory', { patience: { closing: 60_000 } });
    const idle = rawConnection(registry.port);
    idle.socket.write('GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n');
    await idle.until(/\r\n\r\n\{\}/);
    await registry.close();
    await idle.ended;
  });

  test('lets a running request finish, and ends its connection then', async () => {
    const gate: { open?: () => void } = {};
    const opened = new Promise<void>((resolve) => (gate.open = resolve));
    const store = blobStore(10, async function* () {
      yield Buffer.from('first');
      await opened;
      yield Buffer.from(' last');
    });
    const registry = await registries.serve(store, { patience: { closing: 60_000 } });
    const connection = rawConnection(registry.port);
    connection.socket.write(`GET ${BLOB} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await connection.until(/first$/);
    const closed = registry.close();
    gate.open?.();
    expect(await connection.ended).toMatch(/\r\n\r\nfirst last$/);
    await closed;
  });

  test('breaks a request off that does not end in time', async () => {
    const store = blobStore(10, async function* () {
      yield Buffer.from('first');
      await new Promise(() => undefined);
    });
    const registry = await registries.serve(store, { patience: { closing: 20 } });
    const connection = rawConnection(registry.port);
    connection.socket.write(`GET ${BLOB} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await connection.until(/first$/);
    await registry.close();
    await connection.ended;
  });
});

test('closing ends a connection that stopped in the middle of a TLS handshake', async () => {
  const registry = await registries.serve('memory', { patience: { closing: 20 }, tls: { cert: certificate, key } });
  const silent = rawConnection(registry.port);
  await new Promise((resolve) => silent.socket.once('connect', resolve));
  const other = new Registry(`127.0.0.1:${registry.port}`, { ca: authority });
  await other.ping(); // so the silent one was accepted before
  await other.close();
  await registry.close();
  await silent.ended;
});

test('every request is told when it is over, refused ones too', async () => {
  const told: RequestInfo[] = [];
  const registry: RunningRegistry = await registries.serve('memory', { onRequest: (info) => told.push(info) });
  await api(registry.url)('GET', '/v2/?x=1');
  await api(registry.url)('GET', '/v2/no/such/tags/list');
  expect(told).toEqual([
    { method: 'GET', path: '/v2/?x=1', status: 200 },
    { method: 'GET', path: '/v2/no/such/tags/list', status: 404 },
  ]);
});

test('a plus in artifactType means a plus, encoded or not', async () => {
  const ask = api((await registries.serve('memory')).url);
  const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: sha256('s'), size: 1 };
  const config = {
    mediaType: 'application/vnd.oci.empty.v1+json',
    digest: await ask.pushBlob('a/b', Buffer.from('{}')),
    size: 2,
  };
  const artifactType = 'application/spdx+json';
  await ask.pushManifest('a/b', '1', { schemaVersion: 2, artifactType, config, layers: [], subject });
  for (const wanted of [artifactType, encodeURIComponent(artifactType)]) {
    const answer = await ask('GET', `/v2/a/b/referrers/${subject.digest}?artifactType=${wanted}`);
    expect((JSON.parse(answer.body.toString()) as { manifests: unknown[] }).manifests, wanted).toHaveLength(1);
  }
});
