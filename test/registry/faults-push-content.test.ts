// What surrounds an upload: content that is not what it should be, mounts that are accepted or refused, and the second run
// of a load that was stopped.
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { AirgapError } from '../../src/core/errors.ts';
import type { Borrowed } from '../../src/core/streams.ts';
import { contentOf } from '../../src/oci/content.ts';
import { answers, answersError, losesTheAnswer, resets, resetsAfterReceiving } from '../support/faults.ts';
import { registryError } from '../support/memory-registry.ts';
import { CHUNKS, large, pushing, SIZE, small, stored, UPLOADS } from '../support/push-bench.ts';
import { bench, connect, NAME, sample, sampleBytes } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

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

  test('small content with more behind it is not committed, though its first bytes are right', async () => {
    const made = await pushing();
    const content = {
      async *open(start: number) {
        yield small.bytes.subarray(start);
        for (let turn = 0; turn < 50; turn++) await setImmediate(); // time for what was sent to be committed
        yield Buffer.from('more');
      },
    };
    expect((await rejected(made.push({ ...small, content }))).code).toBe('DIGEST_MISMATCH');
    expect(stored(made, small)).toBeUndefined();
  });

  test('400 DIGEST_INVALID from the registry', async () => {
    const made = await pushing({}, { retries: 1 });
    made.server.misbehave({ method: 'PUT', times: Infinity }, answersError(400, 'DIGEST_INVALID'));
    expect((await rejected(made.push())).code).toBe('DIGEST_MISMATCH');
  });

  test.each([70_000, 1000, 300_000])(
    'content that is lent, %i bytes at a time, arrives as it was when it was lent',
    async (size) => {
      const made = await pushing({}, { chunkSize: 250_000, chunkThreshold: 400_000 });
      for (const blob of [sample(sampleBytes(399_999, 'whole')), sample(sampleBytes(1_000_001, 'in chunks'))]) {
        const borrow = async function* (start: number): AsyncGenerator<Borrowed> {
          const memory = Buffer.alloc(size);
          for (let at = start; at < blob.bytes.byteLength; at += size) {
            yield { bytes: memory.subarray(0, blob.bytes.copy(memory, 0, at, at + size)) };
            memory.fill(0);
          }
        };
        await made.push({ ...blob, content: { ...blob.content, borrow } });
        expect(stored(made, blob)).toEqual(blob.bytes);
      }
    },
  );

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

test('a source that is a registry out of reach is no reason to try the target again', async () => {
  const made = await pushing();
  const unreachable = new AirgapError('REGISTRY_UNREACHABLE', 'https://source.example: the connection was cut');
  const content = {
    async *open(start: number) {
      yield large.bytes.subarray(start, 2500);
      throw unreachable;
    },
  };
  await expect(made.repository.push(large.descriptor, content)).rejects.toBe(unreachable);
  expect(made.clock.slept).toEqual([]);
  expect(made.server.asked('POST', UPLOADS)).toHaveLength(1);
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
    made.server.misbehave(
      { method: 'POST', path: /mount=/ },
      answers(201, { location: `/v2/${NAME}/blobs/${large.descriptor.digest}` }),
    );
    expect(await made.push()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
  });
});

describe('at the same time', () => {
  test('one blob to one repository twice: sent once', async () => {
    const made = await pushing();
    const told = await Promise.all([made.push(), made.push(), made.push()]);
    expect(told.sort()).toEqual([0, 0, SIZE].sort());
    expect(made.received()).toBe(SIZE);
  });

  test('one blob to two repositories: sent once, mounted once', async () => {
    const made = await pushing();
    const other = made.registry.repository('demo/other');
    await Promise.all([made.push(), other.push(large.descriptor, large.content)]);
    expect(made.received()).toBe(SIZE);
    expect(stored(made)).toEqual(large.bytes);
    expect(made.server.memory.repository('demo/other').blobs.get(large.descriptor.digest)).toEqual(large.bytes);
  });

  test('after a failure the next in line tries for itself', async () => {
    const made = await pushing({}, { retries: 0 });
    made.server.misbehave({ method: 'POST' }, answersError(500, 'UNKNOWN'));
    const [first, second] = await Promise.allSettled([made.push(), made.push()]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'REGISTRY_ERROR' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: SIZE });
  });
});

describe('a second run', () => {
  const journal = () => {
    const entries = new Map<string, { location: string; offset: number }>();
    return {
      entries,
      get: (key: string) => entries.get(key),
      set: (key: string, value: { location: string; offset: number }) => void entries.set(key, value),
      delete: (key: string) => void entries.delete(key),
    };
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

  test('finds the blob there when the registry finished it while the first was gone, and sends nothing', async () => {
    const uploads = journal();
    const made = await pushing({}, { uploads, retries: 0 });
    made.server.misbehave({ method: 'PUT' }, losesTheAnswer);
    await rejected(made.push());
    expect(uploads.entries.size).toBe(1);
    const before = made.received();
    made.server.misbehave({ method: 'HEAD' }, answersError(404, 'BLOB_UNKNOWN')); // it is not finished yet
    const { repository } = connect(made.server, { uploads });
    expect(await repository.exists(large.descriptor)).toBe(false);
    await repository.push(large.descriptor, large.content);
    expect(made.received()).toBe(before);
    expect(uploads.entries.size).toBe(0);
  });

  test('that finds the blob there forgets the upload of it', async () => {
    const uploads = journal();
    const made = await pushing({}, { uploads, retries: 0 });
    made.server.misbehave({ method: 'PUT' }, losesTheAnswer);
    await rejected(made.push());
    expect(await connect(made.server, { uploads }).repository.exists(large.descriptor)).toBe(true);
    expect(uploads.entries.size).toBe(0);
  });

  test('a session of the journal that holds other bytes is found out at the end, and started anew once', async () => {
    const uploads = journal();
    const made = await pushing({}, { uploads, retries: 0 });
    made.server.misbehave({ method: 'PATCH', at: 7 }, resets);
    await rejected(made.push());
    const [session] = made.server.memory.uploads.values();
    session!.bytes[0]! ^= 1;
    const before = made.received();
    let told = 0;
    const again = connect(made.server, { uploads });
    await again.repository.push(large.descriptor, large.content, { progress: (bytes) => (told += bytes) });
    expect(stored(made)).toEqual(large.bytes);
    expect(made.received() - before).toBe(SIZE - 6000 + SIZE);
    expect(told).toBeLessThanOrEqual(SIZE);
    expect(uploads.entries.size).toBe(0);
  });

  test('a journal that says more than the registry holds is not believed', async () => {
    const uploads = journal();
    const made = await pushing({}, { uploads, retries: 0 });
    made.server.misbehave({ method: 'PATCH', at: 3 }, resets);
    await rejected(made.push());
    for (const [key, value] of uploads.entries) uploads.entries.set(key, { ...value, offset: 9000 });
    const again = connect(made.server, { uploads });
    await again.repository.push(large.descriptor, large.content);
    expect(stored(made)).toEqual(large.bytes);
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
