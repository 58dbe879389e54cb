// What accompanies an image upstream and cannot be had never fails a lock or a build: it is named, and the image is carried
// without it. The lock pins nothing that a build, with another cache, cannot fetch.
import { rm, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { Missing } from '../../src/core/events.ts';
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { cosignTags } from '../../src/oci/referrer-tags.ts';
import { newKey } from '../support/cosign.ts';
import type { CliResult } from '../support/cli.ts';
import { answers, answersError } from '../support/faults.ts';
import type { FaultyRegistry } from '../support/faulty-registry.ts';
import { journey, type Journey } from '../support/journey.ts';
import { cosignSignature, randomArtifact, randomImage, randomIndex, type Graph } from '../support/random-image.ts';
import { startServer } from '../support/registry-bench.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const REPOSITORY = 'kibana/kibana';
const ARTIFACT_MANIFEST = 'application/vnd.oci.artifact.manifest.v1+json';
const SHA512 = `sha512:${'0'.repeat(128)}`;
const ALWAYS = { times: Infinity };

let site: Journey;
let upstream: FaultyRegistry;

beforeEach(async () => {
  upstream = await startServer();
  site = await journey({ images: {} });
});
afterEach(() => site.end());

function publish(graph: Graph, tag?: string): void {
  for (const { descriptor, bytes } of graph.blobs) {
    if (![OCI_MANIFEST, OCI_INDEX].includes(descriptor.mediaType)) upstream.memory.putBlob(REPOSITORY, bytes);
    else
      upstream.memory.putManifest(
        REPOSITORY,
        { mediaType: descriptor.mediaType, bytes },
        descriptor.digest === graph.root.digest ? tag : undefined,
      );
  }
}

async function writeSpec(more: Record<string, unknown> = {}): Promise<void> {
  await site.writeSpec({ images: [KIBANA], mirrors: { 'docker.elastic.co': `http://${upstream.host}` }, ...more });
}

const lock = (...flags: string[]) => site.run('lock', 'airgap.yaml', '--retries', '0', '--json', ...flags);
const missingIn = ({ stdout }: CliResult) => (JSON.parse(stdout) as { missing: Missing[] }).missing;
const codeOf = ({ stdout }: CliResult) => (JSON.parse(stdout) as { error?: { code: string } }).error?.code;
const path = (kind: string, { digest }: Pick<Descriptor, 'digest'>) => new RegExp(`/${kind}/${digest}`);

/** Locked without these, each with a warning; a build that has nothing of it yet fetches what the lock pins, and it loads. */
async function expectCarriedWithout(...what: readonly string[]): Promise<Missing[]> {
  const result = await lock();
  expect([result.status, result.stderr.match(/^Warning:/gm) ?? []]).toEqual([0, what.map(() => 'Warning:')]);
  const missing = missingIn(result);
  expect(missing.map((one) => [one.what, one.of])).toEqual(what.map((one) => [one, KIBANA]));
  await rm(site.path('.cache'), { recursive: true });
  const built = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--retries', '0');
  expect([built.status, built.stderr]).toEqual([0, expect.not.stringContaining('Error')]);
  const loaded = await site.run('load', 'media', '--key', 'airgap.pub', '--registry', site.enclave.host, '--json');
  expect(loaded.status).toBe(0);
  return missing;
}

async function expectStrict(): Promise<void> {
  await rm(site.path('airgap.lock.yaml'), { force: true });
  const result = await lock('--strict');
  expect([result.status, codeOf(result)]).toEqual([4, 'BY_PRODUCT_MISSING']);
  await expect(stat(site.path('airgap.lock.yaml'))).rejects.toThrow();
}

describe('beside an image', () => {
  const image = randomImage('kibana');
  const sbom = randomArtifact('sbom', { subject: image.root, artifactType: 'application/spdx+json' });
  const signature = cosignSignature(image.root);
  const [signatureTag = ''] = cosignTags(image.root.digest);

  beforeEach(async () => {
    publish(image, '9.5.2');
    await writeSpec();
  });

  test('what is all there is carried, without a word', async () => {
    publish(sbom);
    publish(signature, signatureTag);
    await expectCarriedWithout();
    expect((await site.readLock()).images[0]?.accompanying).toHaveLength(2);
  });

  test('a referrer that is listed and gone', async () => {
    publish(sbom);
    upstream.misbehave({ path: path('manifests', sbom.root), ...ALWAYS }, answersError(404, 'MANIFEST_UNKNOWN'));
    const [one] = await expectCarriedWithout('SBOM');
    expect(one?.where).toBe(`docker.elastic.co/${REPOSITORY}@${sbom.root.digest}`);
    await expectStrict();
  });

  test('a referrer of which a blob is gone', async () => {
    publish(sbom);
    upstream.memory.repository(REPOSITORY).blobs.delete(sbom.blobs[0]?.descriptor.digest ?? '');
    await expectCarriedWithout('SBOM');
  });

  test('a referrer of the retired type of artifact manifests', async () => {
    const { mediaType, digest, size } = image.root;
    const artifactType = 'application/vnd.cncf.notary.signature';
    const retired = { mediaType: ARTIFACT_MANIFEST, artifactType, blobs: [], subject: { mediaType, digest, size } };
    upstream.memory.putManifest(REPOSITORY, { mediaType: ARTIFACT_MANIFEST, bytes: canonicalJson(retired) });
    const [one] = await expectCarriedWithout('signature');
    expect(one?.why).toContain(ARTIFACT_MANIFEST);
    await expectStrict();
  });

  test.each<[string, object, string]>([
    ['with a sha512 digest', { mediaType: OCI_MANIFEST, digest: SHA512, size: 3 }, 'referrer'],
    ['that says a wrong size', { mediaType: OCI_MANIFEST, digest: image.root.digest, size: 3 }, 'referrer'],
    ['that is no descriptor', { mediaType: OCI_MANIFEST }, 'list of referrers'],
  ])('a referrer %s', async (_which, descriptor, what) => {
    const list = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [descriptor] };
    upstream.misbehave(
      { path: /\/referrers\//, ...ALWAYS },
      answers(200, { 'content-type': OCI_INDEX }, canonicalJson(list)),
    );
    await expectCarriedWithout(what);
    await expectStrict();
  });

  test('a sha512 digest among referrers under their tag', async () => {
    upstream.misbehave({ path: /\/referrers\//, ...ALWAYS }, answersError(404, 'UNSUPPORTED'));
    const list = {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_MANIFEST, digest: SHA512, size: 3 }],
    };
    upstream.memory.putManifest(
      REPOSITORY,
      { mediaType: OCI_INDEX, bytes: canonicalJson(list) },
      image.root.digest.replace(':', '-'),
    );
    await expectCarriedWithout('referrer');
  });

  test('a tag of a signature that names no manifest', async () => {
    upstream.misbehave(
      { path: new RegExp(`/manifests/${signatureTag}`), ...ALWAYS },
      answers(200, { 'content-type': 'text/plain' }, Buffer.from('x')),
    );
    const [one] = await expectCarriedWithout('signature');
    expect(one?.where).toBe(`docker.elastic.co/${REPOSITORY}:${signatureTag}`);
  });

  test('a signature of which the blob is gone; where airgap.yaml wants one, that is refused', async () => {
    const key = newKey();
    publish(cosignSignature(image.root, key), signatureTag);
    const [payload] = cosignSignature(image.root, key).blobs;
    upstream.memory.repository(REPOSITORY).blobs.delete(payload?.descriptor.digest ?? '');
    await expectCarriedWithout('signature');
    await writeFile(site.path('cosign.pub'), key.publicKey.pem);
    await writeSpec({ signatures: { 'docker.elastic.co': { key: './cosign.pub' } } });
    const refused = await lock();
    expect([refused.status, codeOf(refused)]).toEqual([3, 'SIGNATURE_INVALID']);
  });

  test.each([500, 503])('a server that fails is no absence: %s', async (status) => {
    publish(sbom);
    upstream.misbehave({ path: path('manifests', sbom.root), ...ALWAYS }, answersError(status, 'UNKNOWN'));
    expect(codeOf(await lock())).toBe('REGISTRY_ERROR');
  });
});

describe('inside an index that is taken whole', () => {
  const index = randomIndex('whole', { attestations: true });
  const original = JSON.parse(index.blobs.at(-1)?.bytes.toString() ?? '') as { manifests: Descriptor[] };
  const attestation = original.manifests[3] as Descriptor;

  beforeEach(() => writeSpec({ platforms: 'all' }));

  /** The index with one more child. */
  function withChild(child: object): Graph {
    const document = { ...original, manifests: [...original.manifests, child] };
    const bytes = canonicalJson(document);
    const root = descriptorOf(bytes, OCI_INDEX);
    return { root, blobs: [...index.blobs.slice(0, -1), { descriptor: root, bytes }] };
  }

  async function expectCut(graph: Graph, without: readonly Digest[], platforms = ['linux/amd64', 'linux/arm64']) {
    const [image] = (await site.readLock()).images;
    expect(image).toMatchObject({ original: { digest: graph.root.digest }, platforms });
    expect(image?.without ?? []).toEqual(without);
  }

  test('an attestation that is gone', async () => {
    publish(index, '9.5.2');
    upstream.memory.repository(REPOSITORY).manifests.delete(attestation.digest);
    await expectCarriedWithout('attestation');
    await expectCut(index, [attestation.digest]);
    await expectStrict();
  });

  test('an attestation that is gone, beside an image that says no platform', async () => {
    const plain = randomImage('plain');
    publish(plain);
    const graph = withChild(plain.root);
    publish(graph, '9.5.2');
    upstream.memory.repository(REPOSITORY).manifests.delete(attestation.digest);
    await expectCarriedWithout('attestation');
    await expectCut(graph, [attestation.digest]);
  });

  test('an attestation that is gone, for the platforms that are wanted', async () => {
    await writeSpec({ platforms: ['linux/arm64', 'linux/amd64'] });
    publish(index, '9.5.2');
    upstream.memory.repository(REPOSITORY).manifests.delete(attestation.digest);
    await expectCarriedWithout('attestation');
    await expectCut(index, [attestation.digest]);
  });

  test('an attestation of the one platform that is wanted', async () => {
    await writeSpec({ platforms: ['linux/arm64'] });
    publish(index, '9.5.2');
    upstream.memory.repository(REPOSITORY).manifests.delete(attestation.digest);
    await expectCarriedWithout('attestation');
    await expectCut(index, [attestation.digest], ['linux/arm64']);
  });

  test('a child of the retired type of artifact manifests', async () => {
    const bytes = canonicalJson({ mediaType: ARTIFACT_MANIFEST, artifactType: 'x', blobs: [] });
    const child = descriptorOf(bytes, ARTIFACT_MANIFEST);
    const graph = withChild(child);
    publish(graph, '9.5.2');
    upstream.memory.putManifest(REPOSITORY, { mediaType: ARTIFACT_MANIFEST, bytes });
    await expectCarriedWithout('attestation');
    await expectCut(graph, [child.digest]);
  });

  test('a child with a sha512 digest, unless it is the image of a platform', async () => {
    const child = { mediaType: OCI_MANIFEST, digest: SHA512, size: 3 };
    const graph = withChild(child);
    publish(graph, '9.5.2');
    await expectCarriedWithout('attestation');
    await expectCut(graph, []);
    publish(withChild({ ...child, platform: { os: 'linux', architecture: 's390x' } }), '9.5.2');
    expect(codeOf(await lock())).toBe('MANIFEST_INVALID');
  });

  test('an image that is gone fails the lock', async () => {
    publish(index, '9.5.2');
    upstream.memory.repository(REPOSITORY).manifests.delete(original.manifests[1]?.digest ?? '');
    expect((await lock()).status).toBe(4);
  });
});
