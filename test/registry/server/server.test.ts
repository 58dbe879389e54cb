import { hashSync } from 'bcryptjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contentOf } from '../../../src/oci/content.ts';
import { descriptorOf } from '../../../src/oci/descriptor.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { memoryStore } from '../../../src/registry/server/memory-store.ts';
import { api } from '../../support/api.ts';
import { pushGraph, randomBytes, randomIndex } from '../../support/random-image.ts';
import { openRegistries, type Registries } from '../../support/stores.ts';
import { rejected } from '../../support/thrown.ts';
import { authority, certificate, key } from '../../support/tls-fixture.ts';

let registries: Registries;
beforeEach(async () => {
  registries = await openRegistries();
});
afterEach(() => registries.end());

const HTPASSWD = `alice:${hashSync('s3cret', 4)}\n`;
const basic = (text: string) => ({ headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } });

describe('listening', () => {
  test('beyond loopback without TLS is possible for who asks for it', async () => {
    expect((await registries.serve('memory', { host: '0.0.0.0', plainHttp: true })).port).toBeGreaterThan(0);
  });

  test('on an address that is taken is LISTEN_FAILED', async () => {
    const { port } = await registries.serve('memory');
    expect((await rejected(registries.serve('memory', { port }))).code).toBe('LISTEN_FAILED');
  });
});

describe('htpasswd', () => {
  test('lets in who has the password, again and again, and nobody else', async () => {
    const ask = api((await registries.serve('memory', { htpasswd: HTPASSWD })).url);
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
      const error = await rejected(registries.serve('memory', { htpasswd: line }));
      expect(error.code).toBe('CONFIG_INVALID');
      if (line !== '') expect(error.message).not.toContain(line);
    },
  );
});

test('over TLS with an account, our own client pushes and pulls', async () => {
  const { port } = await registries.serve('memory', { tls: { cert: certificate, key }, htpasswd: HTPASSWD });
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
  const writable = api((await registries.serve(store)).url);
  const digest = await writable.pushBlob('a/b', Buffer.from('content'));
  const ask = api((await registries.serve({ repositories: store.repositories, repository: store.repository })).url);
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

test('equal blobs pushed at once end as one', async () => {
  const registry = new Registry(`127.0.0.1:${(await registries.serve('disk')).port}`);
  const content = randomBytes('same', 300_000);
  const descriptor = descriptorOf(content, 'application/octet-stream');
  await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => registry.repository(`x/${name}`).push(descriptor, contentOf(content))),
  );
  for (const name of ['a', 'b', 'c', 'd']) expect(await registry.repository(`x/${name}`).exists(descriptor)).toBe(true);
  await registry.close();
});
