// A registry that misbehaves while blobs are pushed: each row of the fault table has its test. What matters: exactly the
// right bytes are stored or the right error is thrown, what was stored is not sent again, and progress is true.
import { describe, expect, test } from 'vitest';
import {
  answers,
  answersError,
  answersHtml,
  changes,
  changesHeaders,
  losesTheAnswer,
  resets,
  resetsAfterReceiving,
} from '../support/faults.ts';
import type { Fault } from '../support/faulty-registry.ts';
import { header } from '../support/memory-registry.ts';
import { CHUNKS, contentRanges, large, pushing, SIZE, small, stored, UPLOADS } from '../support/push-bench.ts';
import { CHUNK, NAME, sample, sampleBytes } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

describe('without any fault', () => {
  test('a large blob goes in chunks, each byte once', async () => {
    const made = await pushing();
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBe(SIZE);
    expect(contentRanges(made).slice(0, 2)).toEqual(['0-999', '1000-1999']);
  });

  test('a small one goes in one request', async () => {
    const made = await pushing();
    expect(await made.push(small)).toBe(CHUNK);
    expect(stored(made, small)).toEqual(small.bytes);
    expect(made.received()).toBe(CHUNK);
    expect(made.server.asked('PATCH')).toEqual([]);
  });

  test('left to itself, a client sends no request with more than one chunk: what a crash costs', async () => {
    const made = await pushing({}, { chunkThreshold: undefined });
    const blob = sample(sampleBytes(CHUNK + 1, 'one byte more'));
    expect(await made.push(blob)).toBe(CHUNK + 1);
    expect(stored(made, blob)).toEqual(blob.bytes);
    expect(contentRanges(made)).toEqual(['0-999', '1000-1000']);
  });

  test('an empty one, too', async () => {
    const made = await pushing();
    const empty = sample(Buffer.alloc(0));
    expect(await made.push(empty)).toBe(0);
    expect(stored(made, empty)).toEqual(Buffer.alloc(0));
  });

  test('one that is there is not sent, and no progress is told', async () => {
    const made = await pushing();
    made.server.memory.putBlob(NAME, large.bytes);
    expect(await made.push()).toBe(0);
    expect(made.received()).toBe(0);
  });
});

describe('upload Location', () => {
  const location = (change: (path: string, origin: string) => string): Fault =>
    changes((reply, { registry }) => ({
      ...reply,
      headers: { ...reply.headers, location: change(String(reply.headers?.['location']), registry.origin) },
    }));

  test.each([
    ['relative with a query', (path: string) => path],
    ['absolute with a query', (path: string, origin: string) => origin + path],
    ['relative without a query', (path: string) => path.replace(/\?.*/, '')],
    [
      'with a query that is changed by every careless encoder',
      (path: string) => `${path.replace(/\?.*/, '')}?_state=a%2Bb%3D%3D&x=%2F&flag`,
    ],
  ])('%s', async (_, change) => {
    const made = await pushing();
    made.server.misbehave({ path: UPLOADS, method: 'POST', times: Infinity }, location(change));
    made.server.misbehave({ path: UPLOADS, method: 'PATCH', times: Infinity }, location(change));
    expect(await made.push()).toBe(SIZE);
    expect(await made.push(small)).toBe(CHUNK);
    const query = /\?(.*)/.exec(change('/x?_state=s%2Bt%3D', ''))?.[1] ?? '';
    for (const { path } of [...made.server.asked('PATCH'), ...made.server.asked('PUT')]) expect(path).toContain(query);
    for (const { path } of made.server.asked('PUT')) expect(path).toMatch(/[?&]digest=sha256(?::|%3A)[0-9a-f]{64}$/);
  });

  test('absent is against the specification', async () => {
    const made = await pushing();
    made.server.misbehave({ path: UPLOADS, method: 'POST', times: Infinity }, changesHeaders({ location: undefined }));
    expect((await rejected(made.push())).code).toBe('REGISTRY_PROTOCOL');
  });
});

describe('401 in the middle', () => {
  const expires: Fault = (call, proceed) => {
    call.registry.auth?.expireTokens();
    return proceed();
  };

  test.each([1, 2, CHUNKS])('of a chunked upload, at chunk %i: a new token, and only that chunk again', async (at) => {
    const made = await pushing({ auth: { kind: 'bearer' } });
    made.server.misbehave({ method: 'PATCH', at }, expires);
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.server.asked('PATCH').filter(({ status }) => status === 401)).toHaveLength(1);
    expect(made.server.asked('POST', UPLOADS).filter(({ status }) => status === 202)).toHaveLength(1);
    expect(contentRanges(made).filter((range) => range === '0-999').length).toBe(at === 1 ? 2 : 1);
  });

  test('of a small upload', async () => {
    const made = await pushing({ auth: { kind: 'bearer' } });
    made.server.misbehave({ method: 'PUT', path: UPLOADS }, expires);
    expect(await made.push(small)).toBe(CHUNK);
    expect(stored(made, small)).toEqual(small.bytes);
  });

  test('at the end of a chunked upload', async () => {
    const made = await pushing({ auth: { kind: 'bearer' } });
    made.server.misbehave({ method: 'PUT', path: UPLOADS }, expires);
    expect(await made.push()).toBe(SIZE);
    expect(made.received()).toBe(SIZE);
  });

  test('a password that is no longer good', async () => {
    const made = await pushing({ auth: { kind: 'basic' } });
    made.server.misbehave(
      { method: 'PATCH', at: 3, times: Infinity },
      answers(401, { 'www-authenticate': 'Basic realm="test"' }),
    );
    expect((await rejected(made.push())).code).toBe('REGISTRY_UNAUTHORIZED');
    expect(stored(made)).toBeUndefined();
  });
});

describe('connections that break', () => {
  test('in the middle of a chunk: the registry is asked what it has, and only the rest is sent', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: 4 }, resetsAfterReceiving(300));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(contentRanges(made)[4]).toBe('3300-4299');
    expect(made.server.asked('POST', UPLOADS)).toHaveLength(1);
    expect(made.received()).toBeLessThanOrEqual(SIZE + CHUNK - 300);
  });

  test.each([1, 5, CHUNKS])('after chunk %i is stored, before the answer: it is not sent again', async (at) => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at }, losesTheAnswer);
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBe(SIZE);
  });

  test('after the whole is stored, before the answer: it is found to be there', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PUT' }, losesTheAnswer);
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBe(SIZE);
  });

  test('after a small blob is stored, before the answer', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PUT' }, losesTheAnswer);
    expect(await made.push(small)).toBe(CHUNK);
    expect(made.received()).toBeLessThanOrEqual(2 * CHUNK);
  });

  test('before anything is asked', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'POST' }, resets);
    expect(await made.push()).toBe(SIZE);
    expect(made.received()).toBe(SIZE);
  });

  test('for ever: the error says that it can go on', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PATCH', at: 4, times: Infinity }, resets);
    const error = await rejected(made.push());
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.hint).toBeTruthy();
    expect(made.clock.slept).toHaveLength(2);
  });

  test('while a small blob is sent', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PUT' }, resetsAfterReceiving(300));
    expect(await made.push(small)).toBe(CHUNK);
    expect(stored(made, small)).toEqual(small.bytes);
  });
});

describe('errors', () => {
  test.each(['POST', 'PATCH', 'PUT'])('500 to %s, then fine', async (method) => {
    const made = await pushing();
    made.server.misbehave({ method, path: UPLOADS }, answersError(500, 'UNKNOWN'));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBeLessThanOrEqual(SIZE + CHUNK);
  });

  test.each([
    ['POST', 3],
    ['PATCH', 3],
    ['PUT', 3],
  ])('502 to %s for ever ends after the retries', async (method, requests) => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method, path: UPLOADS, times: Infinity }, answersHtml(502));
    expect((await rejected(made.push())).code).toBe('REGISTRY_ERROR');
    expect(made.server.asked(method, UPLOADS).length).toBe(requests);
    expect(stored(made)).toBeUndefined();
  });

  test.each(['POST', 'PATCH', 'PUT'])('403 to %s is not tried again', async (method) => {
    const made = await pushing();
    made.server.misbehave({ method, path: UPLOADS, times: Infinity }, answersError(403, 'DENIED'));
    const error = await rejected(made.push());
    expect(error.code).toBe('REGISTRY_DENIED');
    expect(error.hint).toBeTruthy();
    expect(made.server.asked(method, UPLOADS)).toHaveLength(1);
    expect(made.clock.slept).toEqual([]);
  });

  test.each([
    ['HTML', answersHtml(404)],
    ['another code', answersError(404, 'UNSUPPORTED')],
    ['nothing', answers(404)],
  ])('404 to POST with %s is not "absent"', async (_, fault) => {
    const made = await pushing();
    made.server.misbehave({ method: 'POST', path: UPLOADS, times: Infinity }, fault);
    expect((await rejected(made.push())).code).toBe('REGISTRY_ERROR');
  });

  test.each([
    ['a small blob', small],
    ['a chunk, and to the whole', large],
  ])('413 to %s: an error that says what to change', async (_, blob) => {
    const made = await pushing({}, { retries: 2 });
    for (const method of ['PATCH', 'PUT']) made.server.misbehave({ method, times: Infinity }, answersHtml(413));
    const error = await rejected(made.push(blob));
    expect(error.code).toBe('REGISTRY_ERROR');
    expect(error.hint).toMatch(/limit/);
    expect(stored(made, blob)).toBeUndefined();
  });

  test.each([
    ['when it has read it all', false],
    ['at once', true],
  ])('a proxy that takes 200 KiB and answers 413 %s: chunks get smaller until they pass', async (_, atOnce) => {
    const LIMIT = 200 * 1024;
    const blob = sample(sampleBytes(5 * 256 * 1024, 'proxied'));
    const made = await pushing({}, { chunkSize: 256 * 1024, chunkThreshold: 512 * 1024 });
    made.server.misbehave({ path: UPLOADS, times: Infinity }, async (call, proceed) => {
      if (Number(header(call, 'content-length') ?? 0) <= LIMIT) return proceed();
      if (!atOnce) await call.read();
      return { status: 413, headers: atOnce ? { connection: 'close' } : {} };
    });
    expect(await made.push(blob)).toBe(blob.bytes.length);
    expect(stored(made, blob)).toEqual(blob.bytes);
    expect(made.server.requests.filter(({ status }) => status === 413).length).toBeLessThanOrEqual(3);
    expect(made.clock.slept).toEqual([]);
  });

  test.each([
    [401, 'REGISTRY_UNAUTHORIZED'],
    [403, 'REGISTRY_DENIED'],
  ])('%i before the chunk is read: the answer is heard over the noise', async (status, code) => {
    const blob = sample(sampleBytes(4 * 1024 * 1024, 'heard'));
    const made = await pushing(
      {},
      { chunkSize: 2 * 1024 * 1024, chunkThreshold: 0, credentials: undefined, retries: 2 },
    );
    made.server.misbehave({ method: 'PATCH', times: Infinity }, () => ({
      status,
      headers: { 'www-authenticate': 'Basic realm="x"' },
    }));
    expect((await rejected(made.push(blob))).code).toBe(code);
    expect(made.server.asked('PATCH')).toHaveLength(1);
  });

  test('429 to a chunk: waits as long as it is told, and loses nothing', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: 3 }, answers(429, { 'retry-after': '17' }));
    expect(await made.push()).toBe(SIZE);
    expect(made.clock.slept).toEqual([17_000]);
    expect(made.received()).toBeLessThanOrEqual(SIZE + CHUNK);
  });
});
