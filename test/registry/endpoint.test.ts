// Where requests go: names, mirrors, schemes.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endpointOf } from '../../src/registry/endpoint.ts';
import { Registry } from '../../src/registry/registry.ts';
import { header } from '../support/memory-registry.ts';
import { bench, connect, sample, sampleBytes, startServer } from '../support/registry-bench.ts';
import { rejected, thrown } from '../support/thrown.ts';

const blob = sample(sampleBytes(5000));

describe('registries', () => {
  test.each([
    ['docker.io', 'https://registry-1.docker.io', 'docker.io'],
    ['index.docker.io', 'https://registry-1.docker.io', 'docker.io'],
    ['registry.example', 'https://registry.example', 'registry.example'],
    ['registry.example:5000', 'https://registry.example:5000', 'registry.example:5000'],
    ['10.0.0.1:5000', 'https://10.0.0.1:5000', '10.0.0.1:5000'],
  ])('%s', (host, origin, credentialHost) => {
    const endpoint = endpointOf(host, { plainHttp: false });
    expect(endpoint).toMatchObject({ credentialHost, prefix: '' });
    expect((endpoint.origin as URL).origin).toBe(origin);
  });

  test('plain http is spoken where it is asked for', () => {
    expect((endpointOf('registry.example:5000', { plainHttp: true }).origin as URL).origin).toBe(
      'http://registry.example:5000',
    );
    expect((endpointOf('localhost:5000', { plainHttp: true }).origin as URL).origin).toBe('http://localhost:5000');
  });

  test.each(['localhost:5000', '127.0.0.1:5000', '127.8.9.1', '[::1]:5000'])('%s is asked what it speaks', (host) => {
    expect(endpointOf(host, { plainHttp: false }).origin).toEqual({ loopback: host });
  });

  test.each([
    '',
    'a b',
    'registry.example/path',
    'https://registry.example',
    'user@registry.example',
    'registry.example:99999',
  ])('%j is no registry', (host) => {
    expect(thrown(() => new Registry(host)).code).toBe('REFERENCE_INVALID');
  });

  test.each(['', 'UPPER', 'a//b', '../a', 'a/../b', '/a', 'a/', 'a'.repeat(300)])(
    '%j is no repository',
    async (name) => {
      const registry = new Registry('registry.example');
      expect(thrown(() => registry.repository(name)).code).toBe('REFERENCE_INVALID');
      await registry.close();
    },
  );

  test.each(['sha256:abc', 'sha512:' + 'a'.repeat(128), '-tag', 'a b', '', '../v1', 'a'.repeat(129)])(
    '%j is neither tag nor digest',
    async (reference) => {
      const { registry, server } = await bench();
      expect((await rejected(registry.repository('a').resolve(reference))).code).toBe('REFERENCE_INVALID');
      expect((await rejected(registry.repository('a').tag(blob.descriptor, reference))).code).toBe('REFERENCE_INVALID');
      expect(server.requests).toEqual([]);
    },
  );
});

describe('mirrors', () => {
  test.each(['http://mirror.example', 'http://10.0.0.1:5000/x'])('%s without TLS needs its flag', (mirror) => {
    expect(thrown(() => new Registry('docker.io', { mirror })).code).toBe('TLS_REQUIRED');
    expect(endpointOf('docker.io', { mirror, plainHttp: true }).origin).toBeInstanceOf(URL);
  });

  test.each([
    'mirror.example',
    'ftp://mirror.example',
    'https://u:p@mirror.example',
    'https://mirror.example?x=y',
    'https://mirror.example/UPPER',
    '',
  ])('%j is no mirror, and no password in it is shown', (mirror) => {
    const error = thrown(() => new Registry('docker.io', { mirror }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).not.toContain('u:p');
  });

  test('paths get the prefix, and credentials are those for the mirror', async () => {
    const server = await startServer({ auth: { kind: 'basic' } });
    const asked: string[] = [];
    const credentials = {
      find: async (host: string) => {
        asked.push(host);
        return { kind: 'basic' as const, username: 'alice', password: 's3cret' };
      },
    };
    const { registry } = connect(server, { credentials });
    await registry.close();
    const mirrored = new Registry('docker.io', { mirror: `${server.origin}/hub/cache/`, credentials });
    server.memory.putBlob('hub/cache/library/nginx', blob.bytes);
    expect(await mirrored.repository('library/nginx').exists(blob.descriptor)).toBe(true);
    await mirrored.close();
    expect(new Set(asked)).toEqual(new Set([server.host]));
    expect(mirrored.host).toBe('docker.io');
    expect(server.requests.every(({ path }) => path.startsWith('/v2/hub/cache/library/nginx/'))).toBe(true);
  });
});

describe('connections', () => {
  test('one that is free is used again, after HEAD too', async () => {
    const ports = new Set<number | undefined>();
    const server = createServer((request, response) => {
      ports.add(request.socket.remotePort);
      const there = request.url?.endsWith(blob.descriptor.digest) === true;
      response.writeHead(there ? 200 : 404, { 'content-length': there ? blob.descriptor.size : 100 }).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const registry = new Registry(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => registry.close());
    for (let i = 0; i < 50; i++) {
      expect(await registry.repository('a').exists(blob.descriptor)).toBe(true);
      expect(await registry.repository('a').exists(sample(sampleBytes(10, String(i))).descriptor)).toBe(false);
    }
    expect(ports.size).toBeLessThanOrEqual(3); // undici lets a connection rest for one turn of the event loop
  });

  test('every request says who we are and asks for bytes as they are', async () => {
    const { server, repository } = await bench({}, { userAgent: 'eck-airgap/9' });
    await repository.exists(blob.descriptor);
    expect(header(server.requests[0]!, 'user-agent')).toBe('eck-airgap/9');
    expect(header(server.requests[0]!, 'accept-encoding')).toBe('identity');
  });

  test('a client that is closed says so, at once', async () => {
    const { registry, repository, clock } = await bench();
    await registry.ping();
    await registry.close();
    expect((await rejected(repository.exists(blob.descriptor))).code).toBe('INTERNAL');
    expect(clock.slept).toEqual([]);
  });
});
