// What answers is no registry, or does not answer: each is told apart, since each has another remedy.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Registry, type RegistryOptions } from '../../src/registry/registry.ts';
import { answersHtml } from '../support/faults.ts';
import { bench, download, FakeClock, NAME, sample, sampleBytes } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const blob = sample(sampleBytes(100_000));

/** A server that is told nothing of HTTP, and a client of it. */
async function rawServer(serve: (socket: Socket) => void, options: RegistryOptions = {}) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = new FakeClock();
  const registry = new Registry(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
    plainHttp: true,
    retries: 1,
    clock,
    ...options,
  });
  onTestFinished(async () => {
    await registry.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { registry, repository: registry.repository(NAME), clock };
}

describe('what answers is not HTTP', () => {
  test.each([
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['nothing that anybody knows', '\u0000\u0001\u0002\u0003'],
    ['headers without end', `HTTP/1.1 200 OK\r\n${'x-header: y\r\n'.repeat(20_000)}`],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
  ])('%s', async (_, text) => {
    const { registry } = await rawServer((socket) => socket.once('data', () => socket.end(text)));
    const error = await rejected(registry.ping());
    expect(['REGISTRY_PROTOCOL', 'REGISTRY_UNREACHABLE']).toContain(error.code);
    expect(error.message).toContain(registry.host);
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe('nothing answers', () => {
  test('a port where nobody listens: at once, since it is more likely a wrong address than a passing trouble', async () => {
    const { server } = await bench();
    const { host } = server;
    await server.close();
    const clock = new FakeClock();
    const registry = new Registry(host, { clock, plainHttp: true });
    onTestFinished(() => registry.close());
    const error = await rejected(registry.ping());
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.hint).toBeTruthy();
    expect(clock.slept).toEqual([]);
  });

  test('connections that are closed without a word', async () => {
    const { registry, clock } = await rawServer((socket) => socket.destroy());
    const error = await rejected(registry.ping());
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.hint).toBeTruthy();
    expect(clock.slept).toHaveLength(1);
  });

  test('a server that takes the request and stays silent is given up', async () => {
    const { registry } = await rawServer((socket) => socket.resume(), { retries: 0, timeouts: { headers: 50 } });
    expect((await rejected(registry.ping())).code).toBe('REGISTRY_UNREACHABLE');
  });

  test('a body that stops in the middle is given up, and goes on from there', async () => {
    const requests: string[] = [];
    const { repository } = await rawServer(
      (socket) =>
        socket.on('data', (data) => {
          const request = data.toString();
          requests.push(request);
          const start = Number(/range: bytes=(\d+)-/i.exec(request)?.[1] ?? 0);
          const rest = blob.bytes.subarray(start);
          const range =
            start === 0 ? '' : `content-range: bytes ${start}-${blob.bytes.length - 1}/${blob.bytes.length}\r\n`;
          socket.write(`HTTP/1.1 ${start === 0 ? 200 : 206} OK\r\n${range}content-length: ${rest.length}\r\n\r\n`);
          socket.write(requests.length === 1 ? rest.subarray(0, 30_000) : rest);
        }),
      { timeouts: { body: 50 } },
    );
    expect(await download(repository, blob.descriptor)).toEqual(blob.bytes);
    expect(requests).toHaveLength(2);
    expect(requests[1]).toMatch(/range: bytes=30000-/i);
  });
});

describe('ping', () => {
  test('a registry', async () => {
    const { registry } = await bench({ auth: { kind: 'bearer' } });
    await registry.ping();
  });

  test.each([
    [404, 'REGISTRY_PROTOCOL'],
    [500, 'REGISTRY_ERROR'],
  ])('a web server that answers %i is not one', async (status, code) => {
    const { registry, server } = await bench({}, { retries: 0 });
    server.misbehave({ times: Infinity }, answersHtml(status));
    const error = await rejected(registry.ping());
    expect(error.code).toBe(code);
    expect(error.hint).toBeTruthy();
  });
});
