// TLS: whose certificate is trusted, and which scheme is spoken, against servers on loopback.
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Registry, type RegistryOptions } from '../../src/registry/registry.ts';
import { alice, FakeClock } from '../support/registry-bench.ts';
import { rejected, thrown } from '../support/thrown.ts';
import { authority, certificate, certificateForAnotherName, key } from '../support/tls-fixture.ts';

interface Served {
  readonly port: number;
  /** Authorization of every request. */
  readonly seen: (string | undefined)[];
}

async function serve(create: (listener: RequestListener) => Server): Promise<Served> {
  const seen: (string | undefined)[] = [];
  const server = create((request, response) => {
    seen.push(request.headers.authorization);
    response
      .writeHead(request.headers.authorization === undefined ? 401 : 200, { 'www-authenticate': 'Basic realm="x"' })
      .end();
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

const secure = (cert = certificate): Promise<Served> => serve((listener) => createHttpsServer({ key, cert }, listener));
const plain = (): Promise<Served> => serve((listener) => createHttpServer(listener));

function open(host: string, options: RegistryOptions = {}): Registry {
  const registry = new Registry(host, { clock: new FakeClock(), credentials: alice, ...options });
  onTestFinished(() => registry.close());
  return registry;
}

describe('certificates', () => {
  test('of an authority that is given are trusted', async () => {
    const { port, seen } = await secure();
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`]) await open(host, { ca: authority }).ping();
    expect(seen.at(-1)).toMatch(/^Basic /);
  });

  test('of any other are not, and nothing is sent', async () => {
    const { port, seen } = await secure();
    const error = await rejected(open(`localhost:${port}`).ping());
    expect(error.code).toBe('TLS_FAILED');
    expect(error.hint).toContain('--ca-file');
    expect(seen).toEqual([]);
  });

  test('for another name are not', async () => {
    const { port, seen } = await secure(certificateForAnotherName);
    expect((await rejected(open(`localhost:${port}`, { ca: authority }).ping())).code).toBe('TLS_FAILED');
    expect(seen).toEqual([]);
  });

  test('are not looked at when that is asked for', async () => {
    const { port } = await secure(certificateForAnotherName);
    await open(`localhost:${port}`, { insecureSkipTlsVerify: true }).ping();
  });

  test('that a loopback registry has and we do not trust are no reason for plain http', async () => {
    const { port, seen } = await secure();
    expect((await rejected(open(`127.0.0.1:${port}`).ping())).code).toBe('TLS_FAILED');
    expect(seen).toEqual([]);
  });

  test('an authority added does not replace the usual ones', async () => {
    const { port } = await secure();
    await open(`localhost:${port}`, { ca: `some words\n${authority}\n${authority}` }).ping();
  });

  test.each(['', 'nonsense', authority.replace(/[A-Za-z0-9+/]{20}/, '!'), key])(
    'a file that is no authority is refused (%#)',
    (ca) => {
      expect(thrown(() => new Registry('registry.example', { ca })).code).toBe('TLS_FAILED');
    },
  );
});

describe('schemes', () => {
  test('a loopback registry without TLS is spoken to in plain http', async () => {
    const { port, seen } = await plain();
    await open(`127.0.0.1:${port}`).ping();
    expect(seen.at(-1)).toMatch(/^Basic /);
  });

  test('that is found out once, before any credentials are sent', async () => {
    const { port, seen } = await secure();
    const registry = open(`localhost:${port}`, { ca: authority });
    await Promise.all(Array.from({ length: 5 }, () => registry.ping()));
    await registry.ping();
    expect(seen[0]).toBeUndefined();
    expect(seen.filter((authorization) => authorization === undefined).length).toBeLessThanOrEqual(6);
  });

  test('plain http where TLS is spoken names the flag to leave out', async () => {
    const { port } = await secure();
    const error = await rejected(open(`127.0.0.1:${port}`, { plainHttp: true, retries: 0 }).ping());
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.hint).toContain('leave out --plain-http');
  });

  test('plain http answered to TLS names the flag to add', async () => {
    const { port } = await plain();
    const error = await rejected(open('docker.io', { mirror: `https://127.0.0.1:${port}`, retries: 0 }).ping());
    expect(error.code).toBe('TLS_FAILED');
    expect(error.hint).toContain('--plain-http');
  });

  test('plain http is never fallen back to for a mirror in https', async () => {
    const { port, seen } = await plain();
    await rejected(open('docker.io', { mirror: `https://127.0.0.1:${port}` }).ping());
    expect(seen).toEqual([]);
  });

  test('nobody there: said at once', async () => {
    const { port } = await plain();
    const clock = new FakeClock();
    const nobody = open(`127.0.0.2:${port}`, { clock });
    expect((await rejected(nobody.ping())).code).toBe('REGISTRY_UNREACHABLE');
    expect(clock.slept).toEqual([]);
  });

  test('a name that does not exist', async () => {
    expect((await rejected(open('registry.invalid').ping())).code).toBe('REGISTRY_UNREACHABLE');
  });
});
