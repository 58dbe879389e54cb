// A registry that misbehaves while blobs are pushed: each row of the fault table has its test. What matters: exactly the
// right bytes are stored or the right error is thrown, what was stored is not sent again, and progress is true.
import { describe, expect, test } from 'vitest';
import { contentOf, descriptorOf } from '../../src/oci/descriptor.ts';
import { OCI_LAYER } from '../../src/oci/media-types.ts';
import type { RegistryOptions } from '../../src/registry/registry.ts';
import type { Fault, FaultyRegistryOptions } from '../support/faulty-registry.ts';
import {
  answers,
  answersError,
  answersHtml,
  changes,
  changesHeaders,
  losesTheAnswer,
  resets,
  resetsAfterReceiving,
  storesOnly,
} from '../support/faults.ts';
import { header, registryError } from '../support/memory-registry.ts';
import { bench, CHUNK, connect, NAME, sample, sampleBytes, type Bench, type Sample } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const CHUNKS = 10;
const SIZE = CHUNKS * CHUNK;
/** Pushed in chunks. */
const large = sample();
/** Pushed in one request. */
const small = sample(sampleBytes(CHUNK, 'small'));
const UPLOADS = /\/blobs\/uploads\//;

interface Pushing extends Bench {
  /** Pushes and answers what progress was told in all. */
  push(blob?: Sample): Promise<number>;
  /** Bytes that the registry received in bodies of uploads. */
  received(): number;
}

async function pushing(server: FaultyRegistryOptions = {}, client: RegistryOptions = {}): Promise<Pushing> {
  const made = await bench(server, client);
  return {
    ...made,
    received: () => ['POST', 'PATCH', 'PUT'].reduce((sum, method) => sum + made.server.received(method, UPLOADS), 0),
    push: async (blob = large) => {
      let told = 0;
      await made.repository.push(blob.descriptor, blob.content, { progress: (bytes) => (told += bytes) });
      return told;
    },
  };
}

const stored = ({ server }: Bench, { descriptor }: Sample = large) => server.memory.repository(NAME).blobs.get(descriptor.digest);
const contentRanges = ({ server }: Bench) => server.asked('PATCH').map(({ headers }) => header({ headers }, 'content-range'));

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
    changes((reply, { registry }) => ({ ...reply, headers: { ...reply.headers, location: change(String(reply.headers?.['location']), registry.origin) } }));

  test.each([
    ['relative with a query', (path: string) => path],
    ['absolute with a query', (path: string, origin: string) => origin + path],
    ['relative without a query', (path: string) => path.replace(/\?.*/, '')],
    ['with a query that is changed by every careless encoder', (path: string) => `${path.replace(/\?.*/, '')}?_state=a%2Bb%3D%3D&x=%2F&flag`],
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
    made.server.misbehave({ method: 'PATCH', at: 3, times: Infinity }, answers(401, { 'www-authenticate': 'Basic realm="test"' }));
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
    ['a small blob', small, 'PUT'],
    ['a chunk', large, 'PATCH'],
  ])('413 to %s: an error that says what to change', async (_, blob, method) => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method, times: Infinity }, answersHtml(413));
    const error = await rejected(made.push(blob));
    expect(error.code).toBe('REGISTRY_ERROR');
    expect(error.hint).toMatch(/limit/);
    expect(stored(made, blob)).toBeUndefined();
  });

  test('429 to a chunk: waits as long as it is told, and loses nothing', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: 3 }, answers(429, { 'retry-after': '17' }));
    expect(await made.push()).toBe(SIZE);
    expect(made.clock.slept).toEqual([17_000]);
    expect(made.received()).toBeLessThanOrEqual(SIZE + CHUNK);
  });
});

describe('offsets', () => {
  test('416 to a chunk: the registry is asked where it is, and goes on there', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: 4 }, async (call, proceed) => {
      const upload = call.registry.memory.uploads.get('session-1');
      if (upload) upload.bytes = upload.bytes.subarray(0, 1500);
      return proceed();
    });
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(contentRanges(made)[4]).toBe('1500-2499');
    expect(made.received()).toBeLessThanOrEqual(SIZE + 1500 + CHUNK);
  });

  test('416 for ever ends', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PATCH', at: 2, times: Infinity }, answersError(416, 'RANGE_INVALID'));
    expect((await rejected(made.push())).code).toMatch(/^REGISTRY_(ERROR|PROTOCOL)$/);
    expect(made.server.requests.length).toBeLessThan(40);
    expect(stored(made)).toBeUndefined();
  });

  test('lying 202: a chunk is acknowledged, but only in part', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: 3 }, storesOnly(400));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(contentRanges(made)[3]).toBe('2400-3399');
    expect(made.received()).toBe(SIZE + 600);
  });

  test('lying 202: part is said to be stored, and all is (ECR): never spliced wrongly', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', times: Infinity }, changesHeaders({ range: '0-499' }));
    const result = await made.push().catch((error: unknown) => error);
    if (typeof result === 'number') expect(stored(made)).toEqual(large.bytes);
    else expect(result).toMatchObject({ code: expect.stringMatching(/^REGISTRY_(ERROR|PROTOCOL)$/) as string });
    expect(made.server.requests.length).toBeLessThan(60);
  });

  test('lying 202: more is said to be stored than was sent', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PATCH', times: Infinity }, changesHeaders({ range: `0-${SIZE * 2}` }));
    const result = await made.push().catch((error: unknown) => error);
    if (typeof result === 'number') expect(stored(made)).toEqual(large.bytes);
    else expect(result).toMatchObject({ code: expect.stringMatching(/^REGISTRY_(ERROR|PROTOCOL)$/) as string });
    expect(made.server.requests.length).toBeLessThan(60);
  });

  test('lying 202: nothing is ever stored', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PATCH', times: Infinity }, storesOnly(0));
    expect((await rejected(made.push())).code).toMatch(/^REGISTRY_(ERROR|PROTOCOL)$/);
    expect(made.server.requests.length).toBeLessThan(40);
  });

  test.each([
    ['no Range', undefined],
    ['a Range with a unit', 'bytes=0-999'],
    ['a Range that cannot be read', 'zero'],
  ])('a first 202 with %s', async (_, range) => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH' }, changesHeaders({ range }));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBe(SIZE);
  });

  test('no Range in any answer', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', times: Infinity }, changesHeaders({ range: undefined }));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBe(SIZE);
  });
});

describe('answers that are not quite the specification', () => {
  test('200 and 204 where 201 or 202 belong are taken or refused, never believed', async () => {
    for (const status of [200, 204]) {
      const made = await pushing({}, { retries: 2 });
      made.server.misbehave({ method: 'PUT', times: Infinity }, answers(status));
      const result = await made.push().catch((error: unknown) => error);
      expect(stored(made)).toBeUndefined();
      expect(result, `PUT answered ${status} and stored nothing`).toMatchObject({ code: expect.stringMatching(/^REGISTRY_(ERROR|PROTOCOL)$/) as string });
    }
  });

  test('201 to a PATCH, as ECR answers, and the upload goes on', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', times: Infinity }, changes((reply) => ({ ...reply, status: 201 })));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBe(SIZE);
  });

  test('201 to the last PATCH, and the blob is there', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: CHUNKS }, async (call, proceed) => {
      await proceed();
      call.registry.memory.putBlob(NAME, large.bytes);
      call.registry.memory.uploads.clear();
      return { status: 201, headers: { location: `/v2/${NAME}/blobs/${large.descriptor.digest}`, 'docker-content-digest': large.descriptor.digest } };
    });
    expect(await made.push()).toBe(SIZE);
    expect(made.received()).toBe(SIZE);
  });

  test('201 to a PATCH, and nothing is there: not believed', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PATCH', times: Infinity }, answers(201, { location: `/v2/${NAME}/blobs/${large.descriptor.digest}` }));
    expect((await rejected(made.push())).code).toMatch(/^REGISTRY_(ERROR|PROTOCOL)$/);
    expect(made.server.requests.length).toBeLessThan(40);
  });

  test('202 to the final PUT, and nothing is stored: not believed', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PUT', times: Infinity }, answers(202));
    expect((await rejected(made.push())).code).toMatch(/^REGISTRY_(ERROR|PROTOCOL)$/);
  });

  test('202 to the final PUT, and it is stored', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PUT' }, changes((reply) => ({ ...reply, status: 202 })));
    expect(await made.push()).toBe(SIZE);
    expect(made.received()).toBe(SIZE);
  });

  test('single POST answered 202 (docker-registry 2.8): goes on at Location', async () => {
    const made = await pushing({ singlePost: false });
    expect(await made.push(small)).toBe(CHUNK);
    expect(stored(made, small)).toEqual(small.bytes);
    expect(made.received()).toBeLessThanOrEqual(2 * CHUNK);
  });

  test.each([
    ['the final PUT', 'PUT', large],
    ['a PUT of a small blob', 'PUT', small],
  ])('another digest in the answer to %s is an error', async (_, method, blob) => {
    const made = await pushing();
    const other = descriptorOf(Buffer.from('other'), OCI_LAYER).digest;
    made.server.misbehave({ method, times: Infinity }, changesHeaders({ 'docker-content-digest': other }));
    expect((await rejected(made.push(blob))).code).toBe('DIGEST_MISMATCH');
  });

  test('no Docker-Content-Digest in any answer is fine', async () => {
    const made = await pushing();
    made.server.misbehave({ times: Infinity }, changesHeaders({ 'docker-content-digest': undefined }));
    expect(await made.push()).toBe(SIZE);
    expect(await made.push(small)).toBe(CHUNK);
    expect(await made.push()).toBe(0);
  });

  test('HEAD is not allowed (405): pushed all the same', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'HEAD', times: Infinity }, answers(405));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
  });
});

describe('a session that is lost', () => {
  const loses: Fault = async (call, proceed) => {
    call.registry.memory.uploads.clear();
    return proceed();
  };

  test('is started anew, once', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: 5 }, loses);
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.server.asked('POST', UPLOADS)).toHaveLength(2);
    expect(made.received()).toBeLessThanOrEqual(SIZE + 5 * CHUNK);
  });

  test('at the final PUT, too', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PUT', path: UPLOADS }, loses);
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBeLessThanOrEqual(2 * SIZE);
  });

  test('every time: ends', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PATCH', times: Infinity }, answersError(404, 'BLOB_UPLOAD_UNKNOWN'));
    expect((await rejected(made.push())).code).toMatch(/^REGISTRY_(ERROR|PROTOCOL)$/);
    expect(made.server.requests.length).toBeLessThan(40);
  });

  test('404 from a proxy in the middle of an upload', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: 3 }, answersHtml(404));
    const result = await made.push().catch((error: unknown) => error);
    if (typeof result === 'number') expect(stored(made)).toEqual(large.bytes);
    else expect(result).toMatchObject({ code: 'REGISTRY_ERROR' });
  });
});

describe('wrong content', () => {
  test.each([
    ['large', large],
    ['small', small],
  ])('%s content that does not match its descriptor is never committed', async (_, blob) => {
    const made = await pushing();
    const wrong = Buffer.from(blob.bytes);
    wrong[10]! ^= 1;
    const error = await rejected(made.push({ ...blob, content: contentOf(wrong) }));
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(made.server.memory.repository(NAME).blobs.size).toBe(0);
  });

  test.each([-1, 1])('content of %i bytes more than its descriptor says', async (more) => {
    const made = await pushing({}, { retries: 1 });
    const bytes = sampleBytes(SIZE + more);
    const error = await rejected(made.push({ ...large, content: contentOf(bytes) }));
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(made.server.memory.repository(NAME).blobs.size).toBe(0);
  });

  test('400 DIGEST_INVALID from the registry', async () => {
    const made = await pushing({}, { retries: 1 });
    made.server.misbehave({ method: 'PUT', times: Infinity }, answersError(400, 'DIGEST_INVALID'));
    expect((await rejected(made.push())).code).toBe('DIGEST_MISMATCH');
  });

  test('an error of the source comes out as it is, and nothing is committed', async () => {
    const made = await pushing();
    const broken = new Error('the media was pulled out');
    const content = {
      async *open(start: number) {
        yield large.bytes.subarray(start, 2500);
        throw broken;
      },
    };
    await expect(made.repository.push(large.descriptor, content)).rejects.toBe(broken);
    expect(stored(made)).toBeUndefined();
  });
});

describe('mount', () => {
  const FROM = 'demo/base';

  test('accepted: no byte is sent', async () => {
    const made = await pushing();
    await made.registry.repository(FROM).push(large.descriptor, large.content);
    const before = made.received();
    expect(await made.push()).toBe(0);
    expect(made.received()).toBe(before);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.server.asked('POST', /mount=/)).toHaveLength(1);
  });

  test('refused with 202: the upload that was opened is used', async () => {
    const made = await pushing();
    await made.registry.repository(FROM).push(large.descriptor, large.content);
    const posts = made.server.asked('POST', UPLOADS).length;
    made.server.misbehave({ method: 'POST', path: /mount=/ }, async (call) => {
      call.registry.memory.uploads.set('opened', { repository: NAME, bytes: Buffer.alloc(0) });
      return { status: 202, headers: { location: `/v2/${NAME}/blobs/uploads/opened?_state=x` } };
    });
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.server.asked('POST', UPLOADS)).toHaveLength(posts + 1);
    expect(made.server.asked('PATCH', /uploads\/opened/)).toHaveLength(CHUNKS);
  });

  test.each([
    ['403', registryError(403, 'DENIED')],
    ['404', registryError(404, 'NAME_UNKNOWN')],
    ['405', registryError(405, 'UNSUPPORTED')],
  ])('refused with %s: uploaded after all', async (_, reply) => {
    const made = await pushing();
    await made.registry.repository(FROM).push(large.descriptor, large.content);
    made.server.misbehave({ method: 'POST', path: /mount=/ }, () => reply);
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
  });

  test('accepted with 201, and nothing is there', async () => {
    const made = await pushing();
    await made.registry.repository(FROM).push(large.descriptor, large.content);
    made.server.misbehave({ method: 'POST', path: /mount=/ }, answers(201, { location: `/v2/${NAME}/blobs/${large.descriptor.digest}` }));
    const result = await made.push().catch((error: unknown) => error);
    if (typeof result !== 'number') expect(result).toMatchObject({ code: expect.stringMatching(/^REGISTRY_(ERROR|PROTOCOL)$/) as string });
    else expect(stored(made)).toEqual(large.bytes);
  });
});

describe('a second run', () => {
  const journal = () => {
    const entries = new Map<string, { location: string; offset: number }>();
    return { entries, get: (key: string) => entries.get(key), set: (key: string, value: { location: string; offset: number }) => void entries.set(key, value), delete: (key: string) => void entries.delete(key) };
  };

  test('goes on inside the blob where the first was stopped', async () => {
    const uploads = journal();
    const made = await pushing({}, { uploads, retries: 0 });
    made.server.misbehave({ method: 'PATCH', at: 7 }, resetsAfterReceiving(300));
    expect((await rejected(made.push())).code).toBe('REGISTRY_UNREACHABLE');
    expect(uploads.entries.size).toBe(1);

    const before = made.received();
    const again = connect(made.server, { uploads });
    let told = 0;
    await again.repository.push(large.descriptor, large.content, { progress: (bytes) => (told += bytes) });
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received() - before).toBe(SIZE - 6300);
    expect(told).toBe(SIZE - 6300);
    expect(uploads.entries.size).toBe(0);
  });

  test('a session of the journal that is gone costs a fresh start only', async () => {
    const uploads = journal();
    const made = await pushing({}, { uploads, retries: 0 });
    made.server.misbehave({ method: 'PATCH', at: 7 }, resets);
    await rejected(made.push());
    made.server.memory.uploads.clear();
    const again = connect(made.server, { uploads });
    await again.repository.push(large.descriptor, large.content);
    expect(stored(made)).toEqual(large.bytes);
    expect(uploads.entries.size).toBe(0);
  });

  test('a journal that was tampered with sends nothing to another host', async () => {
    const made = await pushing();
    const other = await bench();
    const key = `${NAME}@${large.descriptor.digest}`;
    const uploads = journal();
    uploads.entries.set(key, { location: `${other.server.origin}/v2/${NAME}/blobs/uploads/session-1`, offset: 0 });
    const { repository } = connect(made.server, { uploads });
    await repository.push(large.descriptor, large.content);
    expect(stored(made)).toEqual(large.bytes);
    expect(other.server.requests).toEqual([]);
  });
});
