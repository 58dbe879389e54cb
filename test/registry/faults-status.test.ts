// What the answers of a registry that misbehaves mean: allowed or not, later or never. What absence is, is absence.test.ts.
import { describe, expect, test } from 'vitest';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { RegistryOptions } from '../../src/registry/registry.ts';
import { answers, answersError, answersHtml, changesHeaders, endless } from '../support/faults.ts';
import type { Fault, FaultyRegistryOptions } from '../support/faulty-registry.ts';
import {
  alice,
  bench,
  download,
  NAME,
  sample,
  sampleBytes,
  sampleManifest,
  type Bench,
} from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const MEBIBYTE = 1024 * 1024;
const blob = sample(sampleBytes(5000));
const manifest = sampleManifest();

async function filled(server: FaultyRegistryOptions = {}, client: RegistryOptions = {}): Promise<Bench> {
  const made = await bench(server, client);
  made.server.memory.putBlob(NAME, blob.bytes);
  made.server.memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: manifest.bytes }, 'v1');
  return made;
}

async function failing(fault: Fault, client: RegistryOptions = {}): Promise<Bench> {
  const made = await filled({}, client);
  made.server.misbehave({ path: /\/(?:blobs|manifests)\//, times: Infinity }, fault);
  return made;
}

const actions = [
  ['pull of a blob', (made: Bench) => download(made.repository, blob.descriptor)],
  ['pull of a manifest', (made: Bench) => download(made.repository, manifest.descriptor)],
  ['resolving a tag', (made: Bench) => made.repository.resolve('v1')],
] as const;

describe.each(actions)('%s', (_what, act) => {
  test.each(['BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN'])('404 %s is CONTENT_MISSING', async (code) => {
    const made = await failing(answersError(404, code));
    expect((await rejected(act(made))).code).toBe('CONTENT_MISSING');
    expect(made.clock.slept).toEqual([]);
  });

  // other bodies are absence (absence.test.ts): registries word it as they like, and the specification asks for the status alone
  test('404 with the page of a proxy is an error, not absence', async () => {
    const made = await failing(answersHtml(404));
    expect((await rejected(act(made))).code).toBe('REGISTRY_ERROR');
  });

  test('403 is REGISTRY_DENIED, at once', async () => {
    const made = await failing(answersError(403, 'DENIED'));
    const error = await rejected(act(made));
    expect(error.code).toBe('REGISTRY_DENIED');
    expect(error.hint).toBeTruthy();
    expect(made.clock.slept).toEqual([]);
  });

  test('401 without any way in is REGISTRY_UNAUTHORIZED, at once', async () => {
    const made = await failing(answersError(401, 'UNAUTHORIZED'));
    const error = await rejected(act(made));
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
    expect(error.hint).toBeTruthy();
    expect(made.clock.slept).toEqual([]);
  });

  test.each([
    ['401', 'REGISTRY_UNAUTHORIZED'],
    ['429', 'REGISTRY_RATE_LIMITED'],
    ['500', 'REGISTRY_ERROR'],
    ['503', 'REGISTRY_ERROR'],
  ])('Hauler #777: %s is never treated as absent', async (status, code) => {
    const made = await failing(answersHtml(Number(status)), { retries: 1 });
    expect((await rejected(act(made))).code).toBe(code);
  });

  test('502 for ever ends after the retries, with growing waits', async () => {
    const made = await failing(answersHtml(502), { retries: 3 });
    expect((await rejected(act(made))).code).toBe('REGISTRY_ERROR');
    expect(made.clock.slept).toHaveLength(3);
    expect([...made.clock.slept].sort((a, b) => a - b)).toEqual(made.clock.slept);
    expect(made.clock.slept[0]).toBeGreaterThan(0);
  });

  test('429 for ever is REGISTRY_RATE_LIMITED', async () => {
    const made = await failing(answers(429), { retries: 2 });
    const error = await rejected(act(made));
    expect(error.code).toBe('REGISTRY_RATE_LIMITED');
    expect(error.hint).toBeTruthy();
    expect(made.clock.slept).toHaveLength(2);
  });

  test.each([
    ['in seconds', () => '21'],
    ['as a date', (now: number) => new Date(now + 21_000).toUTCString()],
  ])('429 with Retry-After %s waits that long', async (_name, retryAfter) => {
    const made = await filled();
    const value = retryAfter(made.clock.now());
    made.server.misbehave({ path: /\/(?:blobs|manifests)\// }, answers(429, { 'retry-after': value }));
    await act(made);
    expect(made.clock.slept).toEqual([21_000]);
  });

  test.each([
    ['without Retry-After', {}],
    ['with one that cannot be read', { 'retry-after': 'soon' }],
    ['with one in the past', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }],
    ['with one below zero', { 'retry-after': '-5' }],
  ])('429 %s waits by itself', async (_name, headers) => {
    const made = await filled();
    made.server.misbehave({ path: /\/(?:blobs|manifests)\// }, answers(429, headers));
    await act(made);
    expect(made.clock.slept).toHaveLength(1);
    expect(made.clock.slept[0]).toBeGreaterThan(0);
    expect(made.clock.slept[0]).toBeLessThanOrEqual(30_000);
  });

  test.each([
    [429, '99999999', 'REGISTRY_RATE_LIMITED', '1157 days'],
    [429, '301', 'REGISTRY_RATE_LIMITED', '5 minutes'],
    [503, '86400', 'REGISTRY_ERROR', '24 hours'],
    [503, 'Tue, 23 Nov 2027 12:00:00 GMT', 'REGISTRY_ERROR', '365 days'],
  ])('%i with Retry-After %s is not waited for; the error says how long the server wants', async (...row) => {
    const [status, retryAfter, code, said] = row;
    const made = await failing(answers(status, { 'retry-after': retryAfter }), { retries: 5 });
    const error = await rejected(act(made));
    expect(error.code).toBe(code);
    expect(error.message).toContain(`retry after ${said}`);
    expect(error.hint).toBeTruthy();
    expect(made.clock.slept).toEqual([]);
  });

  test('five minutes are waited for', async () => {
    const made = await filled();
    made.server.misbehave({ path: /\/(?:blobs|manifests)\// }, answers(429, { 'retry-after': '300' }));
    await act(made);
    expect(made.clock.slept).toEqual([300_000]);
  });

  test('an error body without end is read to its bound only, and is no error of its own', async () => {
    const made = await failing(() => ({
      status: 403,
      headers: { 'content-type': 'application/json' },
      body: endless(),
    }));
    expect((await rejected(act(made))).code).toBe('REGISTRY_DENIED');
    const sent = made.server.requests.reduce((sum, request) => sum + request.sent, 0);
    expect(sent).toBeLessThan(16 * MEBIBYTE); // what the connection's buffers take
  });

  test('an error message has one line, no control characters and no secret', async () => {
    const body = { errors: [{ code: 'DENIED', message: 'a\nb\u001b[31mc\u202ed' }, 'x', null, { code: 5 }] };
    const made = await failing(answers(403, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(body))));
    const { message } = await rejected(act(made));
    expect(message).not.toMatch(/[\u0000-\u001f\u007f\u202e]/);
    expect(message).not.toContain('s3cret');
    expect(message).toContain(made.server.host);
  });
});

describe('who asked is part of the answer', () => {
  const named = { find: async () => ({ ...(await alice.find()), from: '/home/me/.docker/config.json' }) };

  test.each([403, 429])('%i says whose credentials were used', async (status) => {
    const made = await filled({ auth: { kind: 'basic' } }, { credentials: named, retries: 0 });
    made.server.misbehave({ path: /\/manifests\//, at: 2, times: Infinity }, answersError(status, 'NO'));
    const error = await rejected(made.repository.resolve('v1'));
    expect(error.message).toContain(made.server.host);
    expect(error.message).toContain('asked with the credentials from /home/me/.docker/config.json');
    expect(error.message).not.toContain('s3cret');
    expect(error.hint).toBeTruthy();
  });

  test.each([403, 429])('%i says that there were none', async (status) => {
    const made = await failing(answersError(status, 'NO'), { retries: 0 });
    expect((await rejected(made.repository.resolve('v1'))).message).toContain('asked without credentials');
  });

  test('401 names the file that the refused ones are from', async () => {
    const made = await filled({ auth: { kind: 'basic', password: 'another' } }, { credentials: named });
    const error = await rejected(made.repository.resolve('v1'));
    expect(error.message).toContain(
      `${made.server.host} refuses the credentials for it from /home/me/.docker/config.json`,
    );
    expect(error.hint).toContain('--password-stdin');
  });
});

describe('exists', () => {
  test.each([
    [401, 'REGISTRY_UNAUTHORIZED'],
    [403, 'REGISTRY_DENIED'],
    [429, 'REGISTRY_RATE_LIMITED'],
    [500, 'REGISTRY_ERROR'],
  ])('Hauler #777: %i is never "no"', async (status, code) => {
    const made = await failing(answersHtml(status), { retries: 1 });
    for (const { descriptor } of [blob, manifest]) {
      expect((await rejected(made.repository.exists(descriptor))).code).toBe(code);
    }
  });

  test('says what is there and what is not', async () => {
    const made = await filled();
    expect(await made.repository.exists(blob.descriptor)).toBe(true);
    expect(await made.repository.exists(manifest.descriptor)).toBe(true);
    expect(await made.repository.exists(sample(Buffer.from('x')).descriptor)).toBe(false);
    expect(await made.repository.exists(sampleManifest({ annotations: { a: 'b' } }).descriptor)).toBe(false);
  });

  test('without HEAD (405)', async () => {
    const made = await filled();
    made.server.misbehave({ method: 'HEAD', times: Infinity }, answers(405));
    expect(await made.repository.exists(blob.descriptor)).toBe(true);
    expect(await made.repository.exists(manifest.descriptor)).toBe(true);
    expect(await made.repository.exists(sample(Buffer.from('x')).descriptor)).toBe(false);
  });

  test('a HEAD that answers another size is not "there"', async () => {
    const made = await filled();
    made.server.misbehave(
      { method: 'HEAD', path: /\/blobs\//, times: Infinity },
      changesHeaders({ 'content-length': '17' }),
    );
    expect(await made.repository.exists(blob.descriptor)).toBe(false);
  });
});
