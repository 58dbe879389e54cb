import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { readBlob } from '../../src/oci/content.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import { parseManifest, successors } from '../../src/oci/manifest.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { formatPlatform, matchesPlatform, parsePlatform } from '../../src/oci/platform.ts';
import { randomArtifact, randomImage, randomIndex } from '../support/random-image.ts';
import { rejected, thrown } from '../support/thrown.ts';

const image = randomImage('manifest');
const document = JSON.parse((image.blobs.at(-1)?.bytes ?? Buffer.alloc(0)).toString()) as Record<string, unknown>;
const parse = (changes: Record<string, unknown>, mediaType = OCI_MANIFEST) =>
  parseManifest(Buffer.from(JSON.stringify({ ...document, ...changes })), mediaType);

describe('manifests', () => {
  test('unknown keys are no fault, and the bytes are kept', () => {
    const bytes = Buffer.from(JSON.stringify({ ...document, vendor: { x: 1 } }));
    expect(parseManifest(bytes, OCI_MANIFEST).raw).toBe(bytes);
  });

  test('successors are config, then layers; children of an index; a subject is none', () => {
    const parsed = parse({ subject: { mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from('subject')), size: 1 } });
    expect(successors(parsed).map(({ digest }) => digest)).toEqual([
      image.blobs[2]?.descriptor.digest,
      image.blobs[0]?.descriptor.digest,
      image.blobs[1]?.descriptor.digest,
    ]);
    const index = randomIndex('manifest');
    expect(successors(parseManifest(index.blobs.at(-1)?.bytes ?? Buffer.alloc(0), OCI_INDEX))).toHaveLength(2);
  });

  test('GHSA-qq97-vm5h-rrhg: a document that is a manifest and an index at once, or says it is another, is refused', () => {
    expect(thrown(() => parse({ manifests: [] })).code).toBe('MANIFEST_INVALID');
    expect(thrown(() => parse({}, DOCKER_MANIFEST)).code).toBe('MANIFEST_INVALID');
    expect(thrown(() => parse({ mediaType: undefined }, OCI_INDEX)).code).toBe('MANIFEST_INVALID');
  });

  const config = document['config'] as Record<string, unknown>;
  test.each([
    ['a path as digest (CVE-2024-3727)', { config: { ...config, digest: 'sha256:../../etc/passwd' } }],
    ['a negative size', { config: { ...config, size: -1 } }],
    ['half a byte', { config: { ...config, size: 1.5 } }],
    ['a size beyond exact integers', { config: { ...config, size: 2 ** 60 } }],
    ['no layers', { layers: undefined }],
    ['schema version 1', { schemaVersion: 1 }],
    ['layers that are none', { layers: [5] }],
  ])('%s is MANIFEST_INVALID', (_case, changes) => {
    expect(thrown(() => parse(changes)).code).toBe('MANIFEST_INVALID');
  });

  test.each([
    [Buffer.from('no')],
    [Buffer.from('[]')],
    [Buffer.from('null')],
    [Buffer.from([0xff, 0xfe])],
    [Buffer.alloc(0)],
  ])('bytes that are no JSON object are refused', (bytes) => {
    expect(thrown(() => parseManifest(bytes, OCI_MANIFEST)).code).toBe('MANIFEST_INVALID');
  });

  test('CVE-2020-1702: a manifest is never read beyond its limit', async () => {
    const huge = { ...descriptorOf(Buffer.from('x'), OCI_MANIFEST), size: 5 * 1024 * 1024 };
    const source = {
      fetch: () => {
        throw new Error('nothing may be fetched');
      },
    };
    expect((await rejected(readBlob(source, huge))).code).toBe('MANIFEST_INVALID');
  });

  test.each([
    ['longer', Buffer.from('content!')],
    ['shorter', Buffer.from('conten')],
    ['other', Buffer.from('cOntent')],
  ])('content that is %s than its descriptor says is DIGEST_MISMATCH', async (_case, served) => {
    const source = {
      async *fetch() {
        yield served;
      },
    };
    expect((await rejected(readBlob(source, descriptorOf(Buffer.from('content'), 'text/plain')))).code).toBe(
      'DIGEST_MISMATCH',
    );
  });

  test('an artifact is a manifest like any other', () => {
    const artifact = randomArtifact('x');
    expect(parseManifest(artifact.blobs.at(-1)?.bytes ?? Buffer.alloc(0), OCI_MANIFEST).artifactType).toBe(
      'application/vnd.example.thing.v1',
    );
  });
});

describe('platforms', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm/v6', 'linux/arm/v6'],
    ['linux/arm/v7', 'linux/arm'],
  ])('%s is %s', (text, formatted) => {
    expect(formatPlatform(parsePlatform(text))).toBe(formatted);
  });

  test('a missing variant is the usual one', () => {
    expect(matchesPlatform(parsePlatform('linux/arm64'), parsePlatform('linux/arm64/v8'))).toBe(true);
    expect(matchesPlatform(parsePlatform('linux/arm/v6'), parsePlatform('linux/arm'))).toBe(false);
    expect(matchesPlatform(parsePlatform('linux/amd64'), parsePlatform('linux/arm64'))).toBe(false);
  });

  test.each(['linux', 'Linux/amd64', 'linux/', '/amd64', 'a/b/c/d', 'linux/amd64 '])('%j is refused', (text) => {
    expect(thrown(() => parsePlatform(text)).code).toBe('REFERENCE_INVALID');
  });
});
