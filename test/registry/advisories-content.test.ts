// Known vulnerabilities of registry clients in what they take for content, each as a test of ours: digests, media types,
// data without end, and errors taken for absence. Those in where they send things are in advisories.test.ts.
import { describe, expect, test } from 'vitest';
import { isDigest } from '../../src/core/digest.ts';
import { readBlob } from '../../src/oci/content.ts';
import { readManifest } from '../../src/oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { RegistryOptions } from '../../src/registry/registry.ts';
import { answers, answersError, changesHeaders, endless } from '../support/faults.ts';
import { bench, download, NAME, sample, sampleBytes, sampleManifest, type Bench } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const MEBIBYTE = 1024 * 1024;
const blob = sample();
const manifest = sampleManifest();

async function scene(client: RegistryOptions = {}, kind: 'basic' | 'bearer' = 'basic'): Promise<Bench> {
  const made = await bench({ auth: { kind } }, client);
  made.server.memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: manifest.bytes }, 'v1');
  return made;
}

describe('containers/image CVE-2024-3727 (GHSA-6wvf-f2vw-3425): a digest is checked before it becomes a path', () => {
  const wrong = [
    'sha256:../../../etc/passwd',
    'sha256:',
    '../..',
    `sha256:${'A'.repeat(64)}`,
    `sha512:${'a'.repeat(128)}`,
    `sha256:${'a'.repeat(64)}/../x`,
    `sha256:${'a'.repeat(63)}\n`,
  ];

  test.each(wrong)('%j is not a digest', async (digest) => {
    expect(isDigest(digest)).toBe(false);
    const made = await scene();
    expect((await rejected(made.repository.resolve(digest))).code).toBe('REFERENCE_INVALID');
    const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 1 };
    const hostile = sampleManifest({ layers: [layer] });
    made.server.memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: hostile.bytes });
    expect((await rejected(readManifest(made.repository, hostile.descriptor))).code).toBe('MANIFEST_INVALID');
  });
});

describe('containers/image CVE-2020-1702: a manifest without end fills no memory', () => {
  test('by tag and by digest', async () => {
    const made = await scene();
    made.server.misbehave({ method: 'HEAD', times: Infinity }, answers(405));
    made.server.misbehave({ path: /\/manifests\//, times: Infinity }, () => ({
      status: 200,
      headers: { 'content-type': OCI_MANIFEST },
      body: endless(),
    }));
    expect((await rejected(made.repository.resolve('v1'))).code).toBe('REGISTRY_PROTOCOL');
    expect((await rejected(readBlob(made.repository, manifest.descriptor))).code).toBe('DIGEST_MISMATCH');
    for (const { sent } of made.server.asked('GET', /\/manifests\//)) expect(sent).toBeLessThan(16 * MEBIBYTE);
  });
});

describe('distribution GHSA-qq97-vm5h-rrhg: one document is not a manifest to one reader and an index to another', () => {
  test.each([
    ['served as an index, says manifest', OCI_INDEX, { mediaType: OCI_MANIFEST }],
    ['served as a manifest, says index', OCI_MANIFEST, { mediaType: OCI_INDEX }],
    ['both at once', OCI_MANIFEST, { manifests: [] }],
    ['both at once, as an index', OCI_INDEX, { mediaType: OCI_INDEX, manifests: [], layers: [] }],
  ])('%s', async (_, served, more) => {
    const made = await scene();
    const hostile = sampleManifest(more);
    made.server.memory.putManifest(NAME, { mediaType: served, bytes: hostile.bytes }, 'confused');
    const reading = made.repository.resolve('confused').then((descriptor) => readManifest(made.repository, descriptor));
    expect((await rejected(reading)).code).toBe('MANIFEST_INVALID');
  });
});

describe('regclient CVE-2025-24882 (GHSA-qv35-3gw6-8q4j): a pinned digest is checked', () => {
  const other = sampleManifest({ annotations: { by: 'attacker' } });

  test('when it is resolved', async () => {
    const made = await scene();
    made.server.misbehave({ path: /\/manifests\/sha256:/, times: Infinity }, async (_call, proceed) => {
      const reply = await proceed();
      return reply.status === 401
        ? reply
        : {
            status: 200,
            headers: { 'content-type': OCI_MANIFEST, 'docker-content-digest': other.descriptor.digest },
            body: other.bytes,
          };
    });
    expect((await rejected(made.repository.resolve(manifest.descriptor.digest))).code).toBe('DIGEST_MISMATCH');
  });

  test.each(['the right', 'no', "the attacker's"])('when it is read, with %s digest in the header', async (which) => {
    const made = await scene();
    const digest = {
      'the right': manifest.descriptor.digest,
      no: undefined,
      "the attacker's": other.descriptor.digest,
    }[which];
    made.server.misbehave({ method: 'GET', path: /\/manifests\//, times: Infinity }, async (call, proceed) => {
      const reply = await proceed();
      return reply.status === 401
        ? reply
        : changesHeaders({ 'docker-content-digest': digest })(call, async () => ({
            ...reply,
            body: other.bytes,
            headers: { ...reply.headers },
          }));
    });
    const reading = made.repository
      .resolve(manifest.descriptor.digest)
      .then((descriptor) => readManifest(made.repository, descriptor));
    expect((await rejected(reading)).code).toBe('DIGEST_MISMATCH');
  });

  test('of a blob, to its last byte', async () => {
    const made = await scene();
    const wrong = Buffer.from(blob.bytes);
    wrong[wrong.length - 1]! ^= 1;
    made.server.misbehave(
      { method: 'GET', path: /\/blobs\//, times: Infinity },
      answers(200, { 'docker-content-digest': blob.descriptor.digest }, wrong),
    );
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('DIGEST_MISMATCH');
  });
});

describe('sigstore-go GHSA-cq38-jh5f-37mq: data without end', () => {
  const forever =
    (headers: Record<string, string> = {}, status = 200) =>
    () => ({ status, headers, body: endless() });
  const expectEnded = (made: Bench): void => {
    for (const { sent } of made.server.requests) expect(sent).toBeLessThan(16 * MEBIBYTE);
  };

  test.each<{
    what: string;
    path: RegExp;
    fault: ReturnType<typeof forever>;
    act: (made: Bench) => Promise<unknown>;
    code: string;
  }>([
    {
      what: 'an error',
      path: /\/blobs\//,
      fault: forever({}, 404),
      act: ({ repository }) => download(repository, blob.descriptor),
      code: 'CONTENT_MISSING',
    },
    {
      what: 'a token',
      path: /^\/token/,
      fault: forever(),
      act: ({ repository }) => download(repository, blob.descriptor),
      code: 'REGISTRY_PROTOCOL',
    },
    {
      what: 'referrers',
      path: /\/referrers\//,
      fault: forever({ 'content-type': OCI_INDEX }),
      act: ({ repository }) => repository.referrers(manifest.descriptor),
      code: 'REGISTRY_PROTOCOL',
    },
    {
      what: 'tags',
      path: /\/tags\//,
      fault: forever({ 'content-type': 'application/json' }),
      act: async ({ repository }) => repository.tags()[Symbol.asyncIterator]().next(),
      code: 'REGISTRY_PROTOCOL',
    },
    {
      what: 'a small blob',
      path: /\/blobs\//,
      fault: forever(),
      act: ({ repository }) => readBlob(repository, sample(sampleBytes(100)).descriptor),
      code: 'DIGEST_MISMATCH',
    },
    {
      what: 'a redirect',
      path: /\/blobs\//,
      fault: forever({ location: '/v2/' }, 307),
      act: ({ repository }) => download(repository, blob.descriptor),
      code: 'DIGEST_MISMATCH',
    },
  ])('$what', async ({ path, fault, act, code }) => {
    const made = await scene({ retries: 0 }, 'bearer');
    made.server.misbehave({ path, times: Infinity }, fault);
    expect((await rejected(act(made))).code).toBe(code);
    expectEnded(made);
  });

  test('an answer to ping, which nobody reads', async () => {
    const made = await scene({ retries: 0 }, 'bearer');
    made.server.misbehave({ path: /^\/v2\/$/, times: Infinity }, forever());
    await made.registry.ping();
    expectEnded(made);
  });
});

describe('Hauler before #777: 401, 429 and 5xx taken for "not there"', () => {
  test.each([
    [401, 'REGISTRY_UNAUTHORIZED'],
    [403, 'REGISTRY_DENIED'],
    [429, 'REGISTRY_RATE_LIMITED'],
    [500, 'REGISTRY_ERROR'],
    [503, 'REGISTRY_ERROR'],
  ])('%i: no signature is lost for it', async (status, code) => {
    const made = await scene({ retries: 0 });
    const signature = `${manifest.descriptor.digest.replace(':', '-')}.sig`;
    made.server.misbehave({ path: /\/(?:manifests|referrers)\//, times: Infinity }, answersError(status, 'X'));
    expect((await rejected(made.repository.resolve(signature))).code).toBe(code);
    expect((await rejected(made.repository.referrers(manifest.descriptor))).code).toBe(code);
    expect((await rejected(made.repository.exists(manifest.descriptor))).code).toBe(code);
  });
});
