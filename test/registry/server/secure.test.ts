import { generateKeyPairSync } from 'node:crypto';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashSync } from 'bcryptjs';
import { api } from '../../support/api.ts';
import { openRegistries, type Registries } from '../../support/stores.ts';
import { rejected } from '../../support/thrown.ts';
import { authority, certificate, key } from '../../support/tls-fixture.ts';

let registries: Registries;
beforeEach(async () => {
  registries = await openRegistries();
});
afterEach(() => registries.end());

const pem = (passphrase?: string): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }),
  }) as string;

describe('TLS_FAILED', () => {
  test.each([
    ['a certificate that is none', 'nothing', key, /certificate \/etc\/crt\.pem cannot/],
    ['a key that is none', certificate, 'nothing', /key \/etc\/key\.pem cannot/],
    ['a key with a passphrase', certificate, pem('secret'), /key \/etc\/key\.pem cannot/],
    ['the two changed over', key, certificate, /certificate \/etc\/crt\.pem cannot/],
    ['the key of another certificate', certificate, pem(), /crt\.pem with .*key\.pem cannot/],
  ])('names the file: %s', async (_, cert, ownKey, message) => {
    const tls = { cert, key: ownKey, certFile: '/etc/crt.pem', keyFile: '/etc/key.pem' };
    const error = await rejected(registries.serve('memory', { tls }));
    expect(error.code).toBe('TLS_FAILED');
    expect(error.message).toMatch(message);
    expect(error.hint).toBeDefined();
  });
});

test.each([
  ['TLSv1.1', false],
  ['TLSv1.2', true],
  ['TLSv1.3', true],
] as const)('%s is spoken: %s', async (version, spoken) => {
  const { port } = await registries.serve('memory', { tls: { cert: certificate, key } });
  const protocol = await new Promise<string | undefined>((resolve) => {
    const options = { port, host: '127.0.0.1', ca: authority, minVersion: version, maxVersion: version };
    const socket = connect({ ...options, ciphers: 'DEFAULT@SECLEVEL=0' }, () => {
      resolve(socket.getProtocol() ?? undefined);
      socket.destroy();
    });
    socket.on('error', () => resolve(undefined));
  });
  expect(protocol).toBe(spoken ? version : undefined);
});

test.each(['0.0.0.0', '::', '192.0.2.1', 'registry.example', '127.0.0.1.example', 'localhost.example'])(
  '%s is not loopback: passwords need TLS there',
  async (host) => {
    const htpasswd = `alice:${hashSync('s3cret', 4)}`;
    expect((await rejected(registries.serve('memory', { host, htpasswd, plainHttp: true }))).code).toBe('TLS_REQUIRED');
    expect((await rejected(registries.serve('memory', { host }))).code).toBe('TLS_REQUIRED');
  },
);

test('passwords need no TLS on loopback', async () => {
  const { url } = await registries.serve('memory', { host: 'localhost', htpasswd: `alice:${hashSync('s3cret', 4)}` });
  expect((await api(url)('GET', '/v2/')).status).toBe(401);
});

test('everything of the API needs the account', async () => {
  const ask = api((await registries.serve('memory', { htpasswd: `alice:${hashSync('s3cret', 4)}` })).url);
  for (const [method, path] of [
    ['GET', '/v2/'],
    ['GET', '/v2/_catalog'],
    ['GET', '/v2/a/b/tags/list'],
    ['HEAD', '/v2/a/b/manifests/1'],
    ['PUT', '/v2/a/b/manifests/1'],
    ['POST', '/v2/a/b/blobs/uploads/'],
    ['DELETE', '/v2/a/b/manifests/1'],
    ['GET', '/elsewhere'],
  ] as const)
    expect((await ask(method, path)).status, `${method} ${path}`).toBe(401);
});
