// Servers that never come to an end: files of unknown length, responses that trickle, content that is encoded on the way, and
// defects that must not be taken for a bad network. Time passes with the server's clock alone.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { contentReader } from '../../src/build/files/content.ts';
import { openCache, type Cache, type CacheOptions } from '../../src/oci/cache.ts';
import { AirgapError, isAirgapError } from '../../src/core/errors.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { Attempts } from '../../src/registry/attempts.ts';
import { connectionError } from '../../src/registry/connection-error.ts';
import { LEAST_BYTES } from '../../src/registry/pace.ts';
import { Transport } from '../../src/registry/transport.ts';
import { Wire } from '../../src/registry/wire.ts';
import { answers, changesHeaders, endless } from '../support/faults.ts';
import {
  bench,
  download,
  drain,
  FakeClock,
  NAME,
  sample,
  sampleBytes,
  sampleManifest,
} from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';
import { BYTES, fileServer, SIZE, webBench, webClient, ways } from '../support/web-bench.ts';

const always = { times: Infinity };

async function tempCache(options: Partial<CacheOptions> = {}): Promise<{ cache: Cache; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'eck-airgap-endless-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return { folder, cache: await openCache(folder, { self: { pid: process.pid, isAlive: () => false }, ...options }) };
}

describe('a file whose length nobody says', () => {
  test('ends with an error at the limit', async () => {
    const { server, files, url } = await webBench({}, { retries: 2, unannouncedLimit: 100_000 });
    server.misbehave(always, () => ({ status: 200, body: endless(Buffer.alloc(1000)) }));
    const error = await rejected(drain(files.fetch(url)));
    expect(error.code).toBe('REGISTRY_PROTOCOL');
    expect(error.message).toContain(url);
    expect(error.hint).toContain('Content-Length');
    expect(error.hint).toContain('"path"');
    expect(server.requests).toHaveLength(1);
  });

  test('is taken up to the limit', async () => {
    const { server, files, url } = await webBench({}, { unannouncedLimit: SIZE });
    server.misbehave({}, () => ({
      status: 200,
      body: (async function* () {
        yield BYTES;
      })(),
    }));
    expect(await drain(files.fetch(url))).toEqual(BYTES);
  });

  test('never fills the disk: it ends where the room in the cache does, and nothing of it is left', async () => {
    const { server, files, url } = await webBench();
    server.misbehave(always, () => ({ status: 200, body: endless(Buffer.alloc(50_000)) }));
    const { cache, folder } = await tempCache({ freeSpace: async () => 1_000_000 });
    const error = await rejected(contentReader({ cache, web: files, folder })({ url }));
    expect(error.code).toBe('DISK_FULL');
    expect(error.hint).toBeTruthy();
    expect(await readdir(join(folder, 'ingest'))).toEqual([]);
  });
});

test('a file that is announced to be larger than there is room for is refused before it comes', async () => {
  const { server, files, url } = await webBench();
  const headers = { 'content-length': '10000000000000' };
  server.misbehave(always, () => ({ status: 200, headers, body: endless() }));
  const { cache, folder } = await tempCache({ freeSpace: async () => 64 * 1024 * 1024 });
  const error = await rejected(contentReader({ cache, web: files, folder })({ url }));
  expect(error.code).toBe('DISK_FULL');
  expect(server.requests).toHaveLength(1);
  expect(server.requests[0]?.sent).toBeLessThan(16 * 1024 * 1024); // what the connection's buffers take
  await (await tempCache({ freeSpace: async () => SIZE })).cache.requireRoom(SIZE);
});

describe('a response that trickles', () => {
  /** One byte, and two seconds later the next, without end or up to a size. */
  async function* trickle(clock: FakeClock, size = Infinity, step = 1): AsyncGenerator<Buffer> {
    for (let sent = 0; sent < size; sent += step) {
      clock.pass(2000);
      yield Buffer.alloc(step);
      await setImmediate(); // the client runs in this process too
    }
  }

  test.each(ways)('a file by %s: an error after the retries, not for ever', async (_way, get) => {
    const { server, files, url, clock } = await webBench({}, { retries: 2 });
    server.misbehave(always, (call) => {
      const start = Number(/^bytes=([0-9]+)-$/.exec(String(call.headers['range']))?.[1] ?? 0);
      const range = { 'content-range': `bytes ${start}-${SIZE - 1}/${SIZE}` };
      const headers = { 'content-length': String(SIZE - start), etag: '"1"', ...(start === 0 ? {} : range) };
      return { status: start === 0 ? 200 : 206, headers, body: trickle(clock, SIZE - start) };
    });
    const error = await rejected(get(files, url));
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.message).toContain('too slow');
    expect(error.hint).toBeTruthy();
    expect(server.requests).toHaveLength(3);
  });

  test('a file of unknown length', async () => {
    const { server, files, url, clock } = await webBench({}, { retries: 2 });
    server.misbehave(always, () => ({ status: 200, body: trickle(clock) }));
    expect((await rejected(drain(files.fetch(url)))).message).toContain('too slow');
  });

  test.each([
    ['a blob', /\/blobs\//, true],
    ['a manifest', /\/manifests\//, false],
    ['a token', /^\/token/, true],
  ])('%s of a registry', async (_what, path, isBlob) => {
    const made = await bench({ auth: { kind: 'bearer' } }, { retries: 2 });
    const blob = sample(sampleBytes(SIZE));
    made.server.memory.putBlob(NAME, blob.bytes);
    const headers = { 'content-type': OCI_MANIFEST };
    made.server.misbehave({ path, ...always }, () => ({ status: 200, headers, body: trickle(made.clock) }));
    const act = isBlob ? download(made.repository, blob.descriptor) : made.repository.resolve('v1');
    const error = await rejected(act);
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.message).toContain('too slow');
  });

  test('is resumed where it was, and taken once it is fast again', async () => {
    const { server, files, url, clock } = await webBench({}, { retries: 1 });
    server.misbehave({ at: 1 }, () => ({
      status: 200,
      headers: { 'content-length': String(SIZE), etag: '"1"' },
      body: (async function* () {
        yield BYTES.subarray(0, 50_000);
        for (let at = 50_000; ; at++) {
          clock.pass(2000);
          yield BYTES.subarray(at, at + 1);
          await setImmediate();
        }
      })(),
    }));
    expect(await drain(files.fetch(url))).toEqual(BYTES);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]?.headers['range']).toMatch(/^bytes=5[0-9]{4}-$/);
  });

  test('but a slow line is taken as it is', async () => {
    const { server, files, url, clock } = await webBench({}, { retries: 0 });
    const step = Math.ceil(LEAST_BYTES / 10);
    const body = (): AsyncGenerator<Buffer> => trickle(clock, step * 100, step);
    server.misbehave({}, () => ({ status: 200, body: body() }));
    expect((await drain(files.fetch(url))).byteLength).toBe(step * 100);
  });

  test('the time that whoever takes it needs does not count', async () => {
    const { files, url, clock } = await webBench({}, { retries: 0 });
    let size = 0;
    for await (const chunk of files.fetch(url)) {
      size += chunk.byteLength;
      clock.pass(3_600_000);
    }
    expect(size).toBe(SIZE);
  });
});

describe('Content-Encoding', () => {
  const packed = gzipSync(BYTES);
  const encoded = (encoding: string, more: object = {}) =>
    answers(200, { 'content-encoding': encoding, ...more }, packed);

  test.each(
    ways.flatMap(([way, get]) =>
      ['gzip', 'x-gzip', 'br', 'zstd', 'GZIP', 'odd'].map((how) => [way, how, get] as const),
    ),
  )('%s never carries a file that came as %s', async (_way, encoding, get) => {
    const { server, files, url } = await webBench({}, { retries: 0 });
    server.misbehave(always, encoded(encoding, encoding === 'br' ? { etag: '"1"' } : {}));
    const error = await rejected(get(files, url));
    expect(error.code).toBe('REGISTRY_PROTOCOL');
    expect(error.message).toContain(url);
    expect(error.hint).toBeTruthy();
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
  });

  test.each([
    ['/charts/app-1.0.tgz', 'gzip'],
    ['/downloads/app.tar.gz', 'x-gzip'],
    ['/downloads/app.tar.zst', 'zstd'],
    ['/downloads/app.yaml', 'identity'],
  ])('%s with %s is the file itself', async (path, encoding) => {
    const server = await fileServer({}, path);
    server.misbehave(always, changesHeaders({ 'content-encoding': encoding }));
    const { files } = webClient();
    for (const [, get] of ways) expect(await get(files, `${server.origin}${path}?x=1`)).toEqual(BYTES);
  });

  test('a file that is encoded when its download is resumed is not spliced', async () => {
    const { server, files, url } = await webBench({}, { retries: 2 });
    server.misbehave({ at: 1 }, () => ({
      status: 200,
      headers: { etag: '"1"', 'content-length': String(SIZE) },
      body: BYTES.subarray(0, 50_000),
      raw: true,
    }));
    server.misbehave({ ...always, at: 2 }, changesHeaders({ 'content-encoding': 'gzip' }));
    expect((await rejected(drain(files.fetch(url)))).code).toBe('REGISTRY_PROTOCOL');
  });

  test('a manifest that is encoded says so', async () => {
    const made = await bench({}, { retries: 0 });
    made.server.misbehave(always, encoded('gzip'));
    const error = await rejected(made.repository.resolve(sampleManifest().descriptor.digest));
    expect(error.code).toBe('REGISTRY_PROTOCOL');
    expect(error.message).toContain('Content-Encoding');
  });
});

describe('a defect of the program is no bad network', () => {
  const defects = [new TypeError('x is not a function'), new RangeError('out of range'), new SyntaxError('odd')];

  test.each(defects.map((defect) => [defect.name, defect] as const))(
    '%s ends the request at once',
    async (_name, defect) => {
      const clock = new FakeClock();
      const wire = new Wire({ certificates: () => Promise.reject(defect) });
      onTestFinished(() => wire.close());
      const endpoint = { credentialHost: 'registry.example', origin: new URL('https://registry.example') };
      const transport = new Transport({ endpoint, plainHttp: false, wire, clock, retries: 5 });
      const error = await rejected(transport.send({ method: 'GET', target: '', scopes: [] }, [200]));
      expect(error.code).toBe('INTERNAL');
      expect(wire.requests).toBe(1);
      expect(clock.slept).toEqual([]);
    },
  );

  test('while the scheme of a registry on this machine is found out, too', async () => {
    let asked = 0;
    const defect = new TypeError('x is not a function');
    const wire = {
      requests: 0,
      exchange: async () => {
        if (++asked > 10) throw new AirgapError('REGISTRY_ERROR', 'asked for ever');
        throw defect;
      },
      close: async () => undefined,
    } as unknown as Wire;
    const endpoint = { credentialHost: 'localhost:5000', origin: { loopback: 'localhost:5000' } };
    const transport = new Transport({ endpoint, plainHttp: false, wire, clock: new FakeClock(), retries: 5 });
    const requests = Array.from({ length: 3 }, () => transport.send({ method: 'GET', target: '', scopes: [] }, [200]));
    const results = await Promise.allSettled(requests);
    expect(results.map((result) => result.status === 'rejected' && (result.reason as unknown))).toEqual([
      defect,
      defect,
      defect,
    ]);
    expect(asked).toBeLessThanOrEqual(3);
  });

  test('and is never retried', async () => {
    const clock = new FakeClock();
    for (const error of [...defects, connectionError(defects[0], new URL('https://a.example'))]) {
      const attempts = new Attempts({ retries: 5, clock, reached: () => true });
      await expect(attempts.wait(error)).rejects.toBe(error);
    }
    expect(isAirgapError(connectionError(defects[0], new URL('https://a.example')), 'INTERNAL')).toBe(true);
    expect(clock.slept).toEqual([]);
  });
});
