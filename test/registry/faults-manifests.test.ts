// Manifests of a registry that misbehaves: tags resolved without HEAD or without digests, manifests that never end or are
// not what they are called, answers to a push that are lost.
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { readManifest } from '../../src/oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { RegistryOptions } from '../../src/registry/registry.ts';
import {
  answers,
  answersError,
  answersHtml,
  changes,
  changesHeaders,
  endless,
  losesTheAnswer,
  resets,
} from '../support/faults.ts';
import type { FaultyRegistryOptions } from '../support/faulty-registry.ts';
import { header } from '../support/memory-registry.ts';
import { bench, download, drain, NAME, sampleManifest, type Bench } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const MANIFEST_LIMIT = 4 * 1024 * 1024;
const manifest = sampleManifest();
const { mediaType, digest, size } = manifest.descriptor;

async function filled(server: FaultyRegistryOptions = {}, client: RegistryOptions = {}): Promise<Bench> {
  const made = await bench(server, client);
  made.server.memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: manifest.bytes }, 'v1');
  return made;
}

describe('resolving', () => {
  test('a tag and a digest', async () => {
    const made = await filled();
    expect(await made.repository.resolve('v1')).toEqual({ mediaType, digest, size });
    expect(await made.repository.resolve(digest)).toEqual({ mediaType, digest, size });
  });

  test('accepts every manifest type that we know', async () => {
    const made = await filled();
    await made.repository.resolve('v1');
    const accept =
      header(
        made.server.requests.find(({ path }) => path.includes('/manifests/'))!,
        'accept',
      ) ?? '';
    expect(accept).toContain(OCI_INDEX);
    expect(accept).toContain('application/vnd.docker.distribution.manifest.list.v2+json');
  });

  test('HEAD is not allowed (405)', async () => {
    const made = await filled();
    made.server.misbehave({ method: 'HEAD', times: Infinity }, answers(405));
    expect(await made.repository.resolve('v1')).toEqual({ mediaType, digest, size });
  });

  test('no Docker-Content-Digest', async () => {
    const made = await filled();
    made.server.misbehave({ times: Infinity }, changesHeaders({ 'docker-content-digest': undefined }));
    expect(await made.repository.resolve('v1')).toEqual({ mediaType, digest, size });
    expect(await made.repository.resolve(digest)).toEqual({ mediaType, digest, size });
  });

  test('a HEAD without Content-Length or without Content-Type', async () => {
    for (const missing of ['content-length', 'content-type']) {
      const made = await filled();
      made.server.misbehave({ method: 'HEAD', times: Infinity }, changesHeaders({ [missing]: undefined }));
      expect(await made.repository.resolve('v1')).toEqual({ mediaType, digest, size });
    }
  });

  test.each(['sha256:short', 'sha512:00', '../../etc/passwd', ''])(
    'a Docker-Content-Digest of %j is not a digest',
    async (wrong) => {
      const made = await filled();
      made.server.misbehave({ method: 'HEAD', times: Infinity }, changesHeaders({ 'docker-content-digest': wrong }));
      expect(await made.repository.resolve('v1')).toEqual({ mediaType, digest, size });
    },
  );

  test('the body is another one than the header says', async () => {
    const made = await filled();
    const other = sampleManifest({ annotations: { a: 'other' } });
    made.server.misbehave({ method: 'HEAD', times: Infinity }, answers(405));
    made.server.misbehave(
      { method: 'GET', path: /\/manifests\//, times: Infinity },
      changesHeaders({ 'docker-content-digest': other.descriptor.digest }),
    );
    expect((await rejected(made.repository.resolve('v1'))).code).toBe('DIGEST_MISMATCH');
  });

  test('a tag that is not there', async () => {
    const made = await filled();
    expect((await rejected(made.repository.resolve('v2'))).code).toBe('CONTENT_MISSING');
    expect((await rejected(made.repository.resolve(digestOf(Buffer.from('x'))))).code).toBe('CONTENT_MISSING');
  });

  test.each(['', '../v1', 'a/b', 'v1?x=y', 'v1#x', 'sha256:xyz', 'sha256:..%2f', 'x'.repeat(129)])(
    '%j is not sent to anybody',
    async (reference) => {
      const made = await filled();
      expect((await rejected(made.repository.resolve(reference))).code).toBe('REFERENCE_INVALID');
      expect(made.server.requests).toEqual([]);
    },
  );
});

describe('a manifest that is not as it should be', () => {
  test('without end: not more than the bound is read', async () => {
    const made = await filled();
    made.server.misbehave({ method: 'HEAD', times: Infinity }, answers(405));
    made.server.misbehave({ method: 'GET', times: Infinity, path: /\/manifests\// }, () => ({
      status: 200,
      headers: { 'content-type': OCI_MANIFEST },
      body: endless(),
    }));
    expect((await rejected(made.repository.resolve('v1'))).code).toBe('REGISTRY_PROTOCOL');
    expect((await rejected(download(made.repository, manifest.descriptor))).code).toBe('DIGEST_MISMATCH');
    // what the connections' buffers take on top
    for (const { sent } of made.server.asked('GET', /\/manifests\//))
      expect(sent).toBeLessThan(MANIFEST_LIMIT + 12 * 1024 * 1024);
  });

  test('larger than any manifest may be, and says so', async () => {
    const made = await filled();
    made.server.misbehave({ method: 'HEAD', times: Infinity }, answers(405));
    made.server.misbehave(
      { method: 'GET', times: Infinity, path: /\/manifests\// },
      answers(200, { 'content-type': OCI_MANIFEST }, Buffer.alloc(MANIFEST_LIMIT + 1, ' ')),
    );
    expect((await rejected(made.repository.resolve('v1'))).code).toBe('REGISTRY_PROTOCOL');
  });

  test('a descriptor larger than any manifest may be is not fetched', async () => {
    const made = await filled();
    const error = await rejected(readManifest(made.repository, { ...manifest.descriptor, size: MANIFEST_LIMIT + 1 }));
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(made.server.requests).toEqual([]);
  });

  test('a page of a proxy with status 200 is not a manifest', async () => {
    const made = await filled();
    made.server.misbehave({ path: /\/manifests\//, times: Infinity }, answersHtml(200));
    const error = await rejected(made.repository.resolve('v1'));
    expect(error.code).toBe('REGISTRY_PROTOCOL');
  });

  test('cut in the middle: asked for again', async () => {
    const made = await filled();
    made.server.misbehave(
      { method: 'GET', path: /\/manifests\// },
      changes((reply) => ({ ...reply, resetAfter: 20 })),
    );
    expect(await download(made.repository, manifest.descriptor)).toEqual(manifest.bytes);
  });
});

describe('pushing manifests and tags', () => {
  test('a manifest goes under its digest with its own media type, then the tag', async () => {
    const made = await bench();
    await made.repository.push(manifest.descriptor, manifest.content);
    expect([...made.server.memory.repository(NAME).tags]).toEqual([]);
    await made.repository.tag(manifest.descriptor, 'v1');
    expect(made.server.memory.repository(NAME).tags.get('v1')).toBe(digest);
    expect(made.server.memory.repository(NAME).manifests.get(digest)?.bytes).toEqual(manifest.bytes);
    for (const put of made.server.asked('PUT')) expect(header(put, 'content-type')).toBe(OCI_MANIFEST);
  });

  test.each([
    ['500, then fine', answersError(500, 'UNKNOWN')],
    ['429', answers(429, { 'retry-after': '3' })],
    ['a reset', resets],
    ['an answer that is lost', losesTheAnswer],
  ])('%s', async (_, fault) => {
    const made = await bench();
    made.server.misbehave({ method: 'PUT', at: 1 }, fault);
    await made.repository.push(manifest.descriptor, manifest.content);
    made.server.misbehave({ method: 'PUT', at: 1, path: /\/manifests\/v1/ }, fault);
    await made.repository.tag(manifest.descriptor, 'v1');
    expect(made.server.memory.repository(NAME).tags.get('v1')).toBe(digest);
  });

  test.each([
    ['400 MANIFEST_INVALID', answersError(400, 'MANIFEST_INVALID'), 'REGISTRY_ERROR'],
    ['400 MANIFEST_BLOB_UNKNOWN', answersError(400, 'MANIFEST_BLOB_UNKNOWN'), 'REGISTRY_ERROR'],
    ['404 of a proxy', answersHtml(404), 'REGISTRY_ERROR'],
    ['403', answersError(403, 'DENIED'), 'REGISTRY_DENIED'],
    ['409, an immutable tag', answersError(409, 'TAG_IMMUTABLE'), 'REGISTRY_ERROR'],
  ])('%s is not tried again', async (_, fault, code) => {
    const made = await bench();
    made.server.misbehave({ method: 'PUT', times: Infinity }, fault);
    expect((await rejected(made.repository.push(manifest.descriptor, manifest.content))).code).toBe(code);
    expect(made.server.asked('PUT')).toHaveLength(1);
  });

  test('a registry that stored something else (another digest in its answer)', async () => {
    const made = await bench();
    made.server.misbehave({ method: 'PUT' }, changesHeaders({ 'docker-content-digest': digestOf(Buffer.from('x')) }));
    expect((await rejected(made.repository.push(manifest.descriptor, manifest.content))).code).toBe('DIGEST_MISMATCH');
  });

  test('bytes that do not match their descriptor are not sent', async () => {
    const made = await bench();
    const other = sampleManifest({ annotations: { a: 'b' } });
    expect((await rejected(made.repository.push(manifest.descriptor, other.content))).code).toBe('DIGEST_MISMATCH');
    expect(made.server.asked('PUT')).toEqual([]);
  });

  test.each(['', '../v1', 'a/b', 'v1?x', 'x'.repeat(129)])('%j is no tag', async (tag) => {
    const made = await filled();
    expect((await rejected(made.repository.tag(manifest.descriptor, tag))).code).toBe('REFERENCE_INVALID');
    expect(made.server.asked('PUT')).toEqual([]);
  });
});

test('fetching something without a body answers an empty stream or an error, never hangs', async () => {
  const made = await filled();
  made.server.misbehave({ method: 'GET', path: /\/manifests\//, times: Infinity }, answers(204));
  const result = await drain(made.repository.fetch(manifest.descriptor)).catch((error: unknown) => error);
  expect(result).toBeInstanceOf(Error);
});
