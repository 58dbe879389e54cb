// A registry that misbehaves while blobs are pulled: each row of the fault table has its test. What matters: the exact
// bytes or the right error, and no more traffic than is needed.
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { readBlob } from '../../src/oci/content.ts';
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.ts';
import { OCI_LAYER } from '../../src/oci/media-types.ts';
import type { RegistryOptions } from '../../src/registry/registry.ts';
import type { FaultyRegistryOptions } from '../support/faulty-registry.ts';
import {
  answers,
  answersError,
  changes,
  changesHeaders,
  endless,
  endsAfterSending,
  resets,
  resetsAfterSending,
} from '../support/faults.ts';
import { header } from '../support/memory-registry.ts';
import { alice, bench, download, NAME, sample, sampleBytes, type Bench } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const SIZE = 200_000;
const blob = sample(sampleBytes(SIZE));
const GET_BLOB = { method: 'GET', path: /\/blobs\// };

async function pulling(server: FaultyRegistryOptions = {}, client: RegistryOptions = {}): Promise<Bench> {
  const made = await bench(server, client);
  made.server.memory.putBlob(NAME, blob.bytes);
  return made;
}

const gets = ({ server }: Bench) => server.asked('GET', /\/blobs\//);
const rangeOf = (request: ReturnType<typeof gets>[number] | undefined) =>
  header({ headers: request?.headers ?? {} }, 'range');
const sent = (made: Bench) => gets(made).reduce((sum, request) => sum + request.sent, 0);

describe('a connection that breaks in the middle of a blob', () => {
  test('goes on where it broke', async () => {
    const made = await pulling();
    made.server.misbehave(GET_BLOB, endsAfterSending(70_000));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(gets(made)).toHaveLength(2);
    expect(rangeOf(gets(made)[1])).toMatch(/^bytes=70000-/);
    expect(sent(made)).toBe(SIZE);
  });

  test('reset: goes on where it broke', async () => {
    const made = await pulling();
    made.server.misbehave(GET_BLOB, resetsAfterSending(70_000));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(gets(made)).toHaveLength(2);
    // a reset may overtake bytes on their way
    expect(sent(made)).toBeLessThanOrEqual(SIZE + 70_000);
  });

  test('again and again, with progress each time, is no reason to give up', async () => {
    const made = await pulling({}, { retries: 2 });
    made.server.misbehave({ ...GET_BLOB, times: 9 }, endsAfterSending(20_000));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(gets(made)).toHaveLength(10);
    expect(sent(made)).toBe(SIZE);
  });

  test('without any progress is, after the retries', async () => {
    const made = await pulling({}, { retries: 2 });
    made.server.misbehave({ ...GET_BLOB, times: Infinity }, resets);
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('REGISTRY_UNREACHABLE');
    expect(gets(made)).toHaveLength(3);
    expect(made.clock.slept).toHaveLength(2);
  });

  test('a fetch that starts inside a blob goes on from there', async () => {
    const made = await pulling();
    made.server.misbehave(GET_BLOB, endsAfterSending(50_000));
    const chunks: Uint8Array[] = [];
    for await (const chunk of made.repository.fetch(blob.descriptor, { start: 100_000 })) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(blob.bytes.subarray(100_000));
    expect(gets(made).map(rangeOf)).toEqual([
      expect.stringMatching(/^bytes=100000-/),
      expect.stringMatching(/^bytes=150000-/),
    ]);
  });
});

describe('ranges', () => {
  const resumed = async (fault: Parameters<Bench['server']['misbehave']>[1]) => {
    const made = await pulling();
    made.server.misbehave({ ...GET_BLOB, at: 1 }, endsAfterSending(70_000)).misbehave({ ...GET_BLOB, at: 2 }, fault);
    return made;
  };

  test('a server that ignores Range and answers 200: what we have is passed over', async () => {
    const made = await resumed(
      changes((reply) => ({
        ...reply,
        status: 200,
        headers: { 'content-type': 'application/octet-stream' },
        body: blob.bytes,
      })),
    );
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(gets(made)).toHaveLength(2);
  });

  test('a server that ignores Range whatever happens', async () => {
    const made = await pulling();
    made.server.misbehave({ ...GET_BLOB, times: Infinity }, () => ({ status: 200, body: blob.bytes }));
    const chunks: Uint8Array[] = [];
    for await (const chunk of made.repository.fetch(blob.descriptor, { start: 150_000 })) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(blob.bytes.subarray(150_000));
  });

  test.each([
    ['starts elsewhere', `bytes 60000-${SIZE - 1}/${SIZE}`],
    ['is of something else', `bytes 70000-${SIZE - 2}/${SIZE - 1}`],
    ['is missing', undefined],
    ['cannot be read', 'bytes seventy'],
  ])('a Content-Range that %s is never spliced in', async (_, contentRange) => {
    const made = await resumed(changesHeaders({ 'content-range': contentRange }));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(gets(made).map(rangeOf)).toEqual([undefined, 'bytes=70000-', undefined]);
  });

  test('stale Range: the bytes really are those of another offset', async () => {
    const made = await resumed((call) => ({
      status: 206,
      headers: { 'content-range': `bytes 60000-${SIZE - 1}/${SIZE}` },
      body: call.method === 'GET' ? blob.bytes.subarray(60_000) : Buffer.alloc(0),
    }));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(gets(made).map(rangeOf)).toEqual([undefined, 'bytes=70000-', undefined]);
  });

  test('416 for a range that is there: the whole is asked for', async () => {
    const made = await resumed(answers(416, { 'content-range': `bytes */${SIZE}` }));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(sent(made)).toBeLessThanOrEqual(70_000 + SIZE);
  });

  test('416 for ever ends', async () => {
    const made = await pulling({}, { retries: 2 });
    made.server.misbehave(GET_BLOB, endsAfterSending(70_000)).misbehave({ ...GET_BLOB, times: Infinity }, answers(416));
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('REGISTRY_PROTOCOL');
    expect(gets(made)).toHaveLength(3);
  });
});

describe('a body of the wrong length', () => {
  test('shorter than the descriptor says, and that is all there is', async () => {
    const made = await pulling({}, { retries: 2 });
    made.server.misbehave({ ...GET_BLOB, times: Infinity }, () => ({
      status: 200,
      body: blob.bytes.subarray(0, 1000),
    }));
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('DIGEST_MISMATCH');
  });

  test('longer than the descriptor says: refused before the rest is read', async () => {
    const made = await pulling();
    made.server.misbehave({ ...GET_BLOB, times: Infinity }, () => ({ status: 200, body: endless() }));
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('DIGEST_MISMATCH');
    expect(sent(made)).toBeLessThan(16 * 1024 * 1024);
  });

  test('longer than the descriptor says: fetch itself gives out no more', async () => {
    const made = await pulling();
    made.server.misbehave({ ...GET_BLOB, times: Infinity }, () => ({ status: 200, body: endless() }));
    const chunks: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of made.repository.fetch(blob.descriptor)) chunks.push(chunk);
    })();
    expect((await rejected(reading)).code).toBe('DIGEST_MISMATCH');
    expect(Buffer.concat(chunks).length).toBeLessThanOrEqual(SIZE);
  });

  test('longer than Content-Length says: what is more is not content', async () => {
    const made = await pulling();
    const longer = Buffer.concat([blob.bytes, Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')]);
    made.server.misbehave(GET_BLOB, () => ({
      status: 200,
      headers: { 'content-length': String(SIZE) },
      body: longer,
      raw: true,
    }));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
  });

  test('shorter than Content-Length says: the rest is asked for', async () => {
    const made = await pulling();
    made.server.misbehave(GET_BLOB, endsAfterSending(SIZE - 1));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(rangeOf(gets(made)[1])).toMatch(new RegExp(`^bytes=${SIZE - 1}-`));
  });
});

describe('the wrong bytes', () => {
  test('are not taken', async () => {
    const made = await pulling();
    const wrong = Buffer.from(blob.bytes);
    wrong[SIZE - 1]! ^= 1;
    made.server.misbehave({ ...GET_BLOB, times: Infinity }, () => ({ status: 200, body: wrong }));
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('DIGEST_MISMATCH');
  });

  test('nor under a header that says they are right', async () => {
    const made = await pulling();
    const config = sample(Buffer.from('{"a":1}'));
    made.server.misbehave(GET_BLOB, () => ({
      status: 200,
      headers: { 'docker-content-digest': config.descriptor.digest },
      body: Buffer.from('{"a":2}'),
    }));
    expect((await rejected(readBlob(made.repository, config.descriptor))).code).toBe('DIGEST_MISMATCH');
  });
});

describe('errors that pass', () => {
  test('500, then fine', async () => {
    const made = await pulling();
    made.server.misbehave(GET_BLOB, answersError(500, 'UNKNOWN'));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(sent(made) - Number(gets(made)[0]?.sent)).toBe(SIZE);
  });

  test('500 in the middle: goes on where it was', async () => {
    const made = await pulling();
    made.server
      .misbehave({ ...GET_BLOB, at: 1 }, endsAfterSending(70_000))
      .misbehave({ ...GET_BLOB, at: 2 }, answersError(503, 'UNAVAILABLE'));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(gets(made).map(rangeOf)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=70000-/),
      expect.stringMatching(/^bytes=70000-/),
    ]);
  });

  test('401 in the middle: a new token, then on from there', async () => {
    const made = await pulling({ auth: { kind: 'bearer' } });
    made.server.misbehave({ ...GET_BLOB, at: 2 }, async (call, proceed) => {
      const reply = await proceed();
      call.registry.auth?.expireTokens();
      return {
        ...reply,
        headers: { ...reply.headers, 'content-length': String(SIZE) },
        body: blob.bytes.subarray(0, 70_000),
        raw: true,
      };
    });
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(made.server.auth?.issued).toBe(2);
    expect(gets(made).map(({ status }) => status)).toEqual([401, 200, 401, 206]);
    expect(rangeOf(gets(made)[3])).toMatch(/^bytes=70000-/);
  });
});

describe('a blob of many pieces that ends early every time', () => {
  test.each([1, 999, 65_536, 131_072])('after %i bytes', async (piece) => {
    const small = sample(sampleBytes(Math.min(SIZE, piece * 20)));
    const made = await bench({}, { retries: 1 });
    made.server.memory.putBlob(NAME, small.bytes);
    made.server.misbehave({ ...GET_BLOB, times: Infinity }, (call, proceed) => {
      const part = changes((reply) => ({
        ...reply,
        headers: { ...reply.headers, 'content-length': String((reply.body as Uint8Array).byteLength) },
        body: (reply.body as Uint8Array).subarray(0, piece),
        raw: true,
      }));
      return part(call, proceed);
    });
    expect(digestOf(await download(made.repository, small.descriptor))).toBe(small.descriptor.digest);
    expect(sent(made)).toBe(small.bytes.length);
  });
});

test('an empty blob needs no range and no luck', async () => {
  const made = await pulling();
  const empty: Descriptor = descriptorOf(Buffer.alloc(0), OCI_LAYER);
  made.server.memory.putBlob(NAME, Buffer.alloc(0));
  expect(await download(made.repository, empty)).toEqual(Buffer.alloc(0));
});

test('a caller that stops reading lets go of the connection', async () => {
  const made = await pulling({}, { credentials: alice });
  made.server.misbehave(GET_BLOB, () => ({ status: 200, body: endless() }));
  for await (const chunk of made.repository.fetch(blob.descriptor)) {
    expect(chunk.byteLength).toBeGreaterThan(0);
    break;
  }
  expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
});

test('an aborted signal ends a pull with its reason', async () => {
  const made = await pulling();
  const controller = new AbortController();
  const stop = new Error('stop');
  const reading = (async () => {
    for await (const chunk of made.repository.fetch(blob.descriptor, { signal: controller.signal })) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      controller.abort(stop);
    }
  })();
  await expect(reading).rejects.toBe(stop);
});
