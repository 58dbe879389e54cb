// A registry whose answers to an upload are wrong, or not quite what the specification says: offsets, statuses, digests,
// sessions. Nothing is spliced wrongly, nothing is believed that is not so, and everything ends.
import { describe, expect, test } from 'vitest';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import { OCI_LAYER } from '../../src/oci/media-types.ts';
import { answers, answersError, answersHtml, changes, changesHeaders, resets, storesOnly } from '../support/faults.ts';
import type { Fault } from '../support/faulty-registry.ts';
import { CHUNKS, contentRanges, large, pushing, SIZE, small, stored, UPLOADS } from '../support/push-bench.ts';
import { CHUNK, NAME } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

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
    expect((await rejected(made.push())).code).toBe('REGISTRY_ERROR');
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
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.server.requests.length).toBeLessThan(60);
  });

  test('lying 202: more is said to be stored than was sent', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PATCH', times: Infinity }, changesHeaders({ range: `0-${SIZE * 2}` }));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.server.requests.length).toBeLessThan(60);
  });

  test('asked what it holds, the registry says more than was ever sent: started anew', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: 4 }, resets);
    made.server.misbehave({ method: 'GET', path: UPLOADS }, changesHeaders({ range: `0-${SIZE - 1}` }));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.server.asked('PUT')).toHaveLength(1);
    expect(made.received()).toBe(SIZE + 3 * CHUNK);
  });

  test('lying 202: nothing is ever stored, so the whole goes in one request', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PATCH', times: Infinity }, storesOnly(0));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBeLessThanOrEqual(SIZE + 3 * CHUNK);
  });

  test('lying 202: nothing is ever stored, in chunks or whole', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PATCH', times: Infinity }, storesOnly(0));
    made.server.misbehave({ method: 'PUT', times: Infinity }, answers(202));
    expect((await rejected(made.push())).code).toBe('REGISTRY_PROTOCOL');
    expect(made.server.requests.length).toBeLessThan(60);
    expect(made.received()).toBeLessThanOrEqual(4 * SIZE);
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
      expect((await rejected(made.push())).code).toBe('REGISTRY_PROTOCOL');
      expect(stored(made)).toBeUndefined();
    }
  });

  test('201 to a PATCH, as ECR answers, and the upload goes on', async () => {
    const made = await pushing();
    made.server.misbehave(
      { method: 'PATCH', times: Infinity },
      changes((reply) => ({ ...reply, status: 201 })),
    );
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
      return {
        status: 201,
        headers: {
          location: `/v2/${NAME}/blobs/${large.descriptor.digest}`,
          'docker-content-digest': large.descriptor.digest,
        },
      };
    });
    expect(await made.push()).toBe(SIZE);
    expect(made.received()).toBe(SIZE);
  });

  test('201 to a PATCH, and nothing is there: not believed, the whole goes in one request', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave(
      { method: 'PATCH', times: Infinity },
      answers(201, { location: `/v2/${NAME}/blobs/${large.descriptor.digest}` }),
    );
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBeLessThanOrEqual(SIZE + 3 * CHUNK);
  });

  test('202 to the final PUT, and nothing is stored: not believed', async () => {
    const made = await pushing({}, { retries: 2 });
    made.server.misbehave({ method: 'PUT', times: Infinity }, answers(202));
    expect((await rejected(made.push())).code).toBe('REGISTRY_PROTOCOL');
  });

  test('202 to the final PUT, and it is stored', async () => {
    const made = await pushing();
    made.server.misbehave(
      { method: 'PUT' },
      changes((reply) => ({ ...reply, status: 202 })),
    );
    expect(await made.push()).toBe(SIZE);
    expect(made.received()).toBe(SIZE);
  });

  test('single POST, which docker-registry 2.8 answers with 202, is not relied on', async () => {
    const made = await pushing({ singlePost: false });
    expect(await made.push(small)).toBe(CHUNK);
    expect(stored(made, small)).toEqual(small.bytes);
    expect(made.server.received('POST')).toBe(0);
    expect(made.received()).toBe(CHUNK);
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
    for (const method of ['PATCH', 'PUT'])
      made.server.misbehave({ method, times: Infinity }, answersError(404, 'BLOB_UPLOAD_UNKNOWN'));
    expect((await rejected(made.push())).code).toBe('REGISTRY_ERROR');
    expect(made.server.requests.length).toBeLessThan(40);
  });

  test('404 from a proxy in the middle of an upload', async () => {
    const made = await pushing();
    made.server.misbehave({ method: 'PATCH', at: 3 }, answersHtml(404));
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received()).toBeLessThanOrEqual(SIZE + CHUNK);
  });
});
