// A registry behind a proxy, for real: CONNECT and absolute-form through a proxy on loopback, what fails there, and what
// nobody but the other end may see.
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { proxySettings } from '../../src/registry/proxy.ts';
import { Registry, type RegistryOptions } from '../../src/registry/registry.ts';
import type { FaultyRegistry, FaultyRegistryOptions } from '../support/faulty-registry.ts';
import { header } from '../support/memory-registry.ts';
import { startProxy, type TestProxy, type TestProxyOptions } from '../support/proxy.ts';
import {
  alice,
  download,
  FakeClock,
  NAME,
  sample,
  sampleBytes,
  sampleManifest,
  startServer,
} from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';
import { upstreamAuthority, upstreamCertificate, upstreamKey } from '../support/upstream-tls-fixture.ts';

const NAME_OF_HOST = 'registry.example';
const manifest = sampleManifest();
const blob = sample(sampleBytes(300_000));
const tls = { cert: upstreamCertificate, key: upstreamKey };
const secure: FaultyRegistryOptions = { tls, auth: { kind: 'basic' } };

async function upstream(options: FaultyRegistryOptions = { auth: { kind: 'basic' } }): Promise<FaultyRegistry> {
  const server = await startServer(options);
  server.memory.putBlob(NAME, blob.bytes);
  server.memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: manifest.bytes }, 'v1');
  return server;
}

async function proxyTo(options: TestProxyOptions): Promise<TestProxy> {
  const proxy = await startProxy(options);
  onTestFinished(() => proxy.close());
  return proxy;
}

function open(host: string, env: Record<string, string>, options: RegistryOptions = {}): Registry {
  const proxies = proxySettings(env);
  const clock = new FakeClock();
  const registry = new Registry(host, { credentials: alice, ca: upstreamAuthority, proxies, clock, ...options });
  onTestFinished(() => registry.close());
  return registry;
}

describe('https', () => {
  test('goes through a tunnel: the proxy sees the host and no credentials, the registry its own', async () => {
    const server = await upstream(secure);
    const proxy = await proxyTo({ hosts: { 'registry.example:443': server.port }, authorization: 'Basic dTpw' });
    const repository = open(NAME_OF_HOST, { HTTPS_PROXY: `http://u:p@${proxy.host}` }).repository(NAME);
    expect((await repository.resolve('v1')).digest).toBe(manifest.descriptor.digest);
    expect(await download(repository, blob.descriptor)).toEqual(blob.bytes);
    expect([...new Set(proxy.requests.map(({ method, target }) => `${method} ${target}`))]).toEqual([
      'CONNECT registry.example:443',
    ]);
    expect(proxy.requests.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
    expect(server.requests.flatMap((request) => header(request, 'proxy-authorization') ?? [])).toEqual([]);
    expect(header(server.requests.at(-1)!, 'authorization')).toMatch(/^Basic /);
    expect(header(server.requests.at(-1)!, 'host')).toBe(NAME_OF_HOST);
  });

  test('checks the certificate of the registry, not of the proxy', async () => {
    const server = await upstream(secure);
    const proxy = await proxyTo({ hosts: { 'registry.other:443': server.port } });
    const error = await rejected(open('registry.other', { HTTPS_PROXY: proxy.host }).ping());
    expect(error.code).toBe('TLS_FAILED');
    expect(error.message).toContain('registry.other');
    expect(server.requests).toEqual([]);
  });

  test('tunnels are kept: later requests ask the proxy for nothing', async () => {
    const server = await upstream(secure);
    const proxy = await proxyTo({ hosts: { 'registry.example:443': server.port } });
    const repository = open(NAME_OF_HOST, { HTTPS_PROXY: proxy.host }).repository(NAME);
    for (let i = 0; i < 5; i++) expect(await download(repository, blob.descriptor)).toEqual(blob.bytes);
    expect(server.requests.length).toBeGreaterThan(5);
    expect(proxy.requests.length).toBeLessThanOrEqual(2); // the challenge may still be read when the next one goes out
  });

  test('a redirect to another host goes through a tunnel of its own, without credentials', async () => {
    const server = await upstream(secure);
    const cdn = await upstream({ tls });
    server.misbehave({ path: /\/blobs\//, at: 2 }, (call) => ({
      status: 307,
      headers: { location: `https://cdn.example${call.url.pathname}` },
    }));
    const hosts = { 'registry.example:443': server.port, 'cdn.example:443': cdn.port };
    const proxy = await proxyTo({ hosts });
    const repository = open(NAME_OF_HOST, { HTTPS_PROXY: proxy.host }).repository(NAME);
    expect(await download(repository, blob.descriptor)).toEqual(blob.bytes);
    expect(proxy.requests.map(({ target }) => target)).toContain('cdn.example:443');
    expect(cdn.requests.flatMap((request) => header(request, 'authorization') ?? [])).toEqual([]);
  });
});

describe('http', () => {
  test('is handed to the proxy as whole URLs, its credentials not to the registry', async () => {
    const server = await upstream();
    const proxy = await proxyTo({ hosts: { 'registry.example:5000': server.port }, authorization: 'Basic dTpw' });
    const registry = open('registry.example:5000', { HTTP_PROXY: `http://u:p@${proxy.host}` }, { plainHttp: true });
    const repository = registry.repository(NAME);
    expect(await download(repository, blob.descriptor)).toEqual(blob.bytes);
    await repository.push(manifest.descriptor, manifest.content);
    expect(proxy.requests[0]?.target).toBe(`http://registry.example:5000/v2/${NAME}/blobs/${blob.descriptor.digest}`);
    expect(header(server.requests.at(-1)!, 'host')).toBe('registry.example:5000');
    expect(server.requests.flatMap((request) => header(request, 'proxy-authorization') ?? [])).toEqual([]);
  });
});

describe('what NO_PROXY names, and loopback', () => {
  test('is asked directly', async () => {
    const server = await upstream();
    const proxy = await proxyTo({ hosts: {} });
    await open(server.host, { HTTP_PROXY: proxy.host, HTTPS_PROXY: proxy.host }).ping();
    const env = { HTTPS_PROXY: proxy.host, NO_PROXY: '.invalid' };
    expect((await rejected(open('registry.invalid', env, { retries: 0 }).ping())).message).toContain('no such host');
    expect(proxy.requests).toEqual([]);
  });
});

describe.each([
  ['a tunnel', 'HTTPS_PROXY', {}],
  ['absolute-form', 'HTTP_PROXY', { plainHttp: true }],
] as const)('%s that fails', (_what, variable, options) => {
  test('a proxy that wants a password is one error that names it and the way round it', async () => {
    const proxy = await proxyTo({ hosts: {}, authorization: 'Basic dTpw' });
    const clock = new FakeClock();
    const error = await rejected(open(NAME_OF_HOST, { [variable]: proxy.host }, { ...options, clock }).ping());
    expect(error.code).toBe('PROXY_FAILED');
    expect(error.message).toBe(
      `${NAME_OF_HOST}${variable === 'HTTPS_PROXY' ? ':443' : ''}: the proxy ${proxy.host} (${variable}) wants a user name and password (407)`,
    );
    expect(error.hint).toContain('NO_PROXY');
    expect(clock.slept).toEqual([]);
  });

  test('one that refuses ours never has it printed', async () => {
    const proxy = await proxyTo({ hosts: {}, authorization: 'Basic dTpw' });
    const error = await rejected(open(NAME_OF_HOST, { [variable]: `http://me:hunter2@${proxy.host}` }, options).ping());
    expect(error.message).toContain('refuses its user name or password');
    expect(inspect(error, { depth: 9 })).not.toMatch(/hunter2|bWU6aHVudGVyMg/);
  });

  test('a proxy that is not there is named', async () => {
    const proxy = await startProxy({ hosts: {} });
    await proxy.close();
    const clock = new FakeClock();
    const env = { [variable]: `http://me:hunter2@${proxy.host}` };
    const error = await rejected(open(NAME_OF_HOST, env, { ...options, clock }).ping());
    expect(error.code).toBe('PROXY_FAILED');
    expect(error.message).toContain(`${proxy.host} (${variable}) cannot be reached (ECONNREFUSED)`);
    expect(error.hint).toContain('NO_PROXY');
    expect(clock.slept).toEqual([]);
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });
});

test('a tunnel that is not allowed is said at once, one that leads nowhere after the retries', async () => {
  const clock = new FakeClock();
  const refusing = await proxyTo({ hosts: {}, answer: 403 });
  const denied = await rejected(open(NAME_OF_HOST, { HTTPS_PROXY: refusing.host }, { clock }).ping());
  expect([denied.code, clock.slept]).toEqual(['PROXY_FAILED', []]);
  const lost = await proxyTo({ hosts: {} });
  const unreachable = await rejected(open(NAME_OF_HOST, { HTTPS_PROXY: lost.host }, { clock, retries: 2 }).ping());
  expect(unreachable.code).toBe('REGISTRY_UNREACHABLE');
  expect(unreachable.message).toContain(`the proxy ${lost.host} (HTTPS_PROXY) does not reach it (502)`);
  expect(clock.slept).toHaveLength(2);
});

test('a closed client opens no tunnel', async () => {
  const proxy = await proxyTo({ hosts: {} });
  const registry = open(NAME_OF_HOST, { HTTPS_PROXY: proxy.host });
  await registry.close();
  expect((await rejected(registry.ping())).code).toBe('INTERNAL');
  expect(proxy.requests).toEqual([]);
});
