// Downloads from web servers that break off, change in the middle or are of another length.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { collect, type ByteStream } from '../../src/core/streams.ts';
import { answers, changesHeaders, endless, endsAfterSending, resets, resetsAfterSending } from '../support/faults.ts';
import type { Fault, FaultyRegistryOptions } from '../support/faulty-registry.ts';
import { drain, sampleBytes } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';
import { BYTES, PATH, ranges, SIZE, webBench, webClient, type WebBench } from '../support/web-bench.ts';

/** The rest of the file is asked for after this much of it. */
const PART = 70_000;

async function breaking(fault: Fault = endsAfterSending(PART), server: FaultyRegistryOptions = {}): Promise<WebBench> {
  const made = await webBench(server, { retries: 2 });
  made.server.misbehave({ at: 1 }, fault);
  return made;
}

/** The file without ETag and date. */
const unmarked = (made: WebBench) => made.server.memory.files.set(PATH, { bytes: BYTES, headers: {} });

/** All that came, and how it ended. */
async function received(stream: ByteStream) {
  const chunks: Uint8Array[] = [];
  const error = await rejected(
    (async () => {
      for await (const chunk of stream) chunks.push(chunk);
    })(),
  );
  return { error, bytes: Buffer.concat(chunks) };
}

describe.each([
  ['whose size is known', { size: SIZE }],
  ['whose size the answer tells', {}],
])('a file %s', (_, known) => {
  test.each([
    ['ends', endsAfterSending(PART)],
    ['is cut', resetsAfterSending(PART)],
  ])('goes on where it was when the connection %s', async (_how, fault) => {
    const { server, files, url } = await breaking(fault);
    expect(await drain(files.fetch(url, known))).toEqual(BYTES);
    expect(ranges(server)).toEqual([undefined, expect.stringMatching(/^bytes=[0-9]+-/)]);
  });

  test('again and again, with progress each time, is no reason to give up', async () => {
    const { server, files, url } = await webBench({}, { retries: 1 });
    server.misbehave({ times: 9 }, endsAfterSending(20_000));
    expect(await drain(files.fetch(url, known))).toEqual(BYTES);
    expect(server.requests.map(({ sent }) => sent)).toEqual(Array.from({ length: 10 }, () => 20_000));
  });

  test('without any progress is, after the retries', async () => {
    const { server, files, url, clock } = await breaking();
    server.misbehave({ at: 2, times: Infinity }, resets);
    const { error, bytes } = await received(files.fetch(url, known));
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.message).toContain(url);
    expect(bytes).toEqual(BYTES.subarray(0, PART));
    expect(clock.slept).toHaveLength(2);
  });

  test('a server that ignores Range: what came already is passed over', async () => {
    const { server, files, url } = await breaking();
    server.misbehave({ at: 2 }, () => ({ status: 200, headers: { etag: '"1"' }, body: BYTES }));
    expect(await drain(files.fetch(url, known))).toEqual(BYTES);
    expect(server.requests).toHaveLength(2);
  });

  test.each([
    ['another part', changesHeaders({ 'content-range': `bytes 60000-${SIZE - 1}/${SIZE}` })],
    ['416', answers(416)],
  ])('%s than was asked for is never spliced in', async (_what, fault) => {
    const { server, files, url } = await breaking();
    server.misbehave({ at: 2 }, fault);
    expect(await drain(files.fetch(url, known))).toEqual(BYTES);
    expect(ranges(server)).toEqual([undefined, `bytes=${PART}-`, undefined]);
  });

  test('from the middle on', async () => {
    const { server, files, url } = await webBench();
    expect(await drain(files.fetch(url, { ...known, start: PART }))).toEqual(BYTES.subarray(PART));
    expect(ranges(server).at(-1)).toBe(`bytes=${PART}-`);
    expect(await drain(files.fetch(url, { ...known, start: SIZE }))).toEqual(Buffer.alloc(0));
  });

  test('nothing happens before the first chunk is asked for', async () => {
    const { server, files, url } = await webBench();
    files.fetch(url, known);
    files.fetch('no URL', known);
    await files.read(url, { limit: SIZE });
    expect(server.requests).toHaveLength(1);
  });

  test('a caller that stops reading lets go of the connection', async () => {
    const { server, files, url } = await webBench();
    const headers = { etag: '"1"', 'content-length': String(SIZE) };
    server.misbehave({}, () => ({ status: 200, headers, body: endless(Buffer.alloc(100)) }));
    for await (const chunk of files.fetch(url, known)) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    expect(await drain(files.fetch(url, known))).toEqual(BYTES);
  });

  test('an abort in the middle ends it with its reason', async () => {
    const { files, url } = await webBench();
    const controller = new AbortController();
    const stop = new Error('stop');
    const reading = (async () => {
      for await (const chunk of files.fetch(url, { ...known, signal: controller.signal })) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        controller.abort(stop);
      }
    })();
    await expect(reading).rejects.toBe(stop);
  });
});

describe('a file of another size than is known', () => {
  test.each([
    ['longer, as it announces', BYTES],
    ['longer, without end', endless()],
  ])('%s: no more than the size comes out', async (_, body) => {
    const { server, files, url } = await webBench();
    server.misbehave({}, () => ({ status: 200, body }));
    const { error, bytes } = await received(files.fetch(url, { size: 100_000 }));
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(error.message).toContain(url);
    expect(bytes.byteLength).toBeLessThanOrEqual(100_000);
  });

  test('shorter, each time', async () => {
    const { files, url } = await webBench({}, { retries: 2 });
    const { error } = await received(files.fetch(url, { size: SIZE + 1 }));
    expect(error.code).toBe('DIGEST_MISMATCH');
  });
});

describe('a file that changes while it comes', () => {
  const another = { bytes: sampleBytes(SIZE, 'another'), headers: { etag: '"2"' } };

  test.each(['etag', 'last-modified'])('is not spliced together (%s)', async (name) => {
    const made = await breaking(async (call, proceed) => {
      const reply = await endsAfterSending(PART)(call, proceed);
      call.registry.memory.files.set(PATH, { ...another, headers: { etag: 'W/"1"', [name]: '"2"' } });
      return reply;
    });
    made.server.memory.files.set(PATH, { bytes: BYTES, headers: { etag: 'W/"1"', [name]: '"1"' } });
    const { error, bytes } = await received(made.files.fetch(made.url));
    expect(error.code).toBe('REGISTRY_PROTOCOL');
    expect(error.message).toContain('changed');
    expect(bytes).toEqual(BYTES.subarray(0, PART));
  });

  test('and has nothing to tell it by is not gone on with', async () => {
    const made = await breaking();
    unmarked(made);
    const { error, bytes } = await received(made.files.fetch(made.url));
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(bytes).toEqual(BYTES.subarray(0, PART));
    expect(made.server.requests).toHaveLength(1);
  });

  test('but is whole when nothing breaks, from the start or the middle', async () => {
    const made = await webBench();
    unmarked(made);
    for (const start of [0, PART])
      expect(await drain(made.files.fetch(made.url, { start }))).toEqual(BYTES.subarray(start));
  });
});

describe('an answer that does not say how long it is', () => {
  async function* inPieces() {
    for (let at = 0; at < SIZE; at += 50_000) yield BYTES.subarray(at, at + 50_000);
  }

  test('is taken in chunks', async () => {
    const { server, files, url } = await webBench();
    server.misbehave({ times: 2 }, () => ({ status: 200, body: inPieces() }));
    expect(await drain(files.fetch(url))).toEqual(BYTES);
    expect(await files.read(url, { limit: SIZE })).toEqual(BYTES);
  });

  test('and is cut in the middle is an error', async () => {
    const { files, url } = await breaking(() => ({ status: 200, body: inPieces(), resetAfter: 100_000 }));
    expect((await received(files.fetch(url))).error.code).toBe('REGISTRY_UNREACHABLE');
  });

  test('and is cut before anything came is asked for again', async () => {
    const { server, files, url, clock } = await breaking(() => ({ status: 200, body: inPieces(), resetAfter: 0 }));
    expect(await drain(files.fetch(url))).toEqual(BYTES);
    expect(server.requests).toHaveLength(2);
    expect(clock.slept).toHaveLength(1);
  });

  test('nor where it ends is refused: one that is cut would look whole', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf of it'));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    const { files } = webClient({ retries: 1 });
    expect((await rejected(collect(files.fetch(url), 100))).code).toBe('REGISTRY_PROTOCOL');
    expect((await rejected(files.read(url, { limit: 100 }))).code).toBe('REGISTRY_PROTOCOL');
    expect((await collect(files.fetch(url, { size: 'half of it'.length }), 100)).toString()).toBe('half of it');
  });
});
