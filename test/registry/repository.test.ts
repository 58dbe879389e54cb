// What a repository asks of its registry, and what it does not.
import { getEventListeners } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { AirgapError } from '../../src/core/errors.ts';
import { collect } from '../../src/core/streams.ts';
import { answers } from '../support/faults.ts';
import { bench, CHUNK, NAME, sample, sampleBytes, sampleManifest } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const manifest = sampleManifest();
const large = sample();

describe('manifests', () => {
  test('what is resolved is not fetched again', async () => {
    const { server, repository } = await bench();
    server.memory.putManifest(NAME, { mediaType: manifest.descriptor.mediaType, bytes: manifest.bytes }, 'v1');
    expect(await repository.resolve('v1')).toEqual(manifest.descriptor);
    expect(await collect(repository.fetch(manifest.descriptor), 10_000)).toEqual(manifest.bytes);
    expect(await collect(repository.fetch(manifest.descriptor, { start: 10 }), 10_000)).toEqual(
      manifest.bytes.subarray(10),
    );
    expect(await repository.resolve(manifest.descriptor.digest)).toEqual(manifest.descriptor);
    expect(server.asked('GET', /manifests/)).toHaveLength(1);
  });

  test('a tag is looked up each time, and whether something is there, too', async () => {
    const { server, repository } = await bench();
    await repository.push(manifest.descriptor, manifest.content);
    await repository.tag(manifest.descriptor, 'v1');
    await repository.resolve('v1');
    await repository.resolve('v1');
    expect(server.asked('GET', /manifests\/v1/)).toHaveLength(2);
    server.memory.repository(NAME).manifests.clear();
    expect(await repository.exists(manifest.descriptor)).toBe(false);
  });

  test('a tag that is right already is left alone; one that is not is moved', async () => {
    const { server, repository } = await bench();
    const other = sampleManifest({ annotations: { a: 'b' } });
    for (const { descriptor, content } of [manifest, other]) await repository.push(descriptor, content);
    await repository.tag(manifest.descriptor, 'v1');
    await repository.tag(manifest.descriptor, 'v1');
    expect(server.asked('PUT', /manifests\/v1/)).toHaveLength(1);
    await repository.tag(other.descriptor, 'v1');
    expect((await repository.resolve('v1')).digest).toBe(other.descriptor.digest);
    expect(server.asked('PUT', /manifests\/v1/)).toHaveLength(2);
  });

  test('a tag for a manifest that is not there is not made', async () => {
    const { server, repository } = await bench();
    expect((await rejected(repository.tag(manifest.descriptor, 'v1'))).code).toBe('CONTENT_MISSING');
    expect(server.asked('PUT')).toEqual([]);
  });
});

describe('blobs', () => {
  test('fetching begins with the first chunk that is asked for', async () => {
    const { server, repository } = await bench();
    repository.fetch(large.descriptor);
    await repository.exists(large.descriptor);
    expect(server.requests.map(({ method }) => method)).toEqual(['HEAD']);
  });

  test('the end of a blob is not asked for', async () => {
    const { server, repository } = await bench();
    expect(await collect(repository.fetch(large.descriptor, { start: large.bytes.byteLength }), 1)).toHaveLength(0);
    expect(server.requests).toEqual([]);
  });

  test('one that was just found to be absent is not asked for again before it is sent', async () => {
    const { server, repository } = await bench();
    expect(await repository.exists(large.descriptor)).toBe(false);
    await repository.push(large.descriptor, large.content);
    expect(server.asked('HEAD')).toHaveLength(1);
  });

  test('a source that fails is not tried again by the upload, whatever its error', async () => {
    const { server, repository, clock } = await bench();
    const broken = new AirgapError('REGISTRY_UNREACHABLE', 'the other registry is gone');
    const content = {
      async *open(start: number) {
        yield large.bytes.subarray(start, start + 10);
        throw broken;
      },
    };
    await expect(repository.push(large.descriptor, content)).rejects.toBe(broken);
    expect(server.asked('PATCH').length).toBeLessThanOrEqual(1);
    expect(clock.slept).toEqual([]);
  });

  test('an abort in the middle of an upload is its last word', async () => {
    const { server, registry, repository } = await bench();
    const abort = new AbortController();
    const progress = (): void => abort.abort(new Error('stop'));
    await expect(repository.push(large.descriptor, large.content, { signal: abort.signal, progress })).rejects.toThrow(
      'stop',
    );
    const sent = registry.stats.requests;
    await new Promise((resolve) => void setImmediate(resolve));
    expect(registry.stats.requests).toBe(sent);
    expect(server.memory.repository(NAME).blobs.size).toBe(0);
  });

  test('a registry that wants larger chunks gets them (OCI-Chunk-Min-Length)', async () => {
    const { server, repository } = await bench();
    server.misbehave({ method: 'POST' }, async (_call, proceed) => {
      const reply = await proceed();
      return { ...reply, headers: { ...reply.headers, 'oci-chunk-min-length': String(4 * CHUNK) } };
    });
    await repository.push(large.descriptor, large.content);
    expect(server.asked('PATCH')[0]?.headers['content-range']).toBe(`0-${4 * CHUNK - 1}`);
    expect(server.memory.repository(NAME).blobs.get(large.descriptor.digest)).toEqual(large.bytes);
  });

  test('a repository that the registry does not make is an error of the registry, with a way out', async () => {
    const { server, repository } = await bench();
    server.misbehave(
      { method: 'POST', times: Infinity },
      answers(404, {}, Buffer.from('{"errors":[{"code":"NAME_UNKNOWN"}]}')),
    );
    const error = await rejected(repository.push(large.descriptor, large.content));
    expect(error.code).toBe('REGISTRY_ERROR');
    expect(error.hint).toContain('created');
  });

  test('requests that ended leave nothing on their signal', async () => {
    const { repository } = await bench();
    const { signal } = new AbortController();
    await repository.exists(large.descriptor, { signal });
    await repository.push(large.descriptor, large.content, { signal });
    await repository.exists(large.descriptor, { signal });
    await collect(repository.fetch(large.descriptor, { signal }), large.bytes.byteLength);
    await rejected(repository.resolve('absent', { signal }));
    await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toEqual([]));
  });

  test('what was done is counted', async () => {
    const { registry } = await bench();
    const small = sample(sampleBytes(10));
    for (const name of ['a', 'b', 'a']) await registry.repository(name).push(small.descriptor, small.content);
    expect(registry.stats).toMatchObject({ uploads: 1, mounts: 1, retries: 0 });
    expect(registry.repository('a')).toBe(registry.repository('a'));
  });
});
