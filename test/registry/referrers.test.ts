// Referrers: by the API, and by the tag where there is none (distribution-spec, "Referrers Tag Schema").
import { describe, expect, test } from 'vitest';
import { parseManifest, type Index } from '../../src/oci/manifest.ts';
import { DOCKER_INDEX, OCI_INDEX } from '../../src/oci/media-types.ts';
import { referrersTag } from '../../src/oci/referrer-tags.ts';
import { answersError, changes } from '../support/faults.ts';
import { bench, NAME, sample, sampleManifest, type Bench } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const image = sampleManifest();
const pin = ({ mediaType, digest, size }: typeof image.descriptor): object => ({ mediaType, digest, size });
const signature = sampleManifest({
  artifactType: 'application/x.signature',
  subject: pin(image.descriptor),
  annotations: { by: 'us' },
});
const sbom = sampleManifest({ subject: pin(image.descriptor) });

async function pushed({ repository }: Bench, ...manifests: (typeof image)[]): Promise<void> {
  for (const { descriptor, content } of manifests) await repository.push(descriptor, content);
}

function tagged({ server }: Bench): Index | undefined {
  const { tags, manifests } = server.memory.repository(NAME);
  const stored = manifests.get(tags.get(referrersTag(image.descriptor.digest)) ?? '');
  return stored && (parseManifest(stored.bytes, stored.mediaType) as Index);
}

describe('with the API', () => {
  test('the registry lists them, and no tag is made', async () => {
    const made = await bench();
    await pushed(made, image, signature, sbom);
    const found = await made.repository.referrers(image.descriptor);
    expect(found.map(({ digest }) => digest).sort()).toEqual(
      [signature.descriptor.digest, sbom.descriptor.digest].sort(),
    );
    expect(tagged(made)).toBeUndefined();
    expect(await made.repository.referrers(signature.descriptor)).toEqual([]);
  });

  test('an error is an error, not an empty list', async () => {
    const made = await bench({}, { retries: 0 });
    for (const [status, code] of [
      [401, 'REGISTRY_UNAUTHORIZED'],
      [403, 'REGISTRY_DENIED'],
      [500, 'REGISTRY_ERROR'],
    ] as const) {
      made.server.misbehave({ path: /\/referrers\// }, answersError(status, 'X'));
      expect((await rejected(made.repository.referrers(image.descriptor))).code).toBe(code);
    }
  });

  test('what is not an index is not taken', async () => {
    const made = await bench();
    made.server.misbehave(
      { path: /\/referrers\// },
      changes((reply) => ({ ...reply, headers: { 'content-type': 'application/json' } })),
    );
    expect((await rejected(made.repository.referrers(image.descriptor))).code).toBe('REGISTRY_PROTOCOL');
  });
});

describe('without the API', () => {
  test('the index under the tag is made and read', async () => {
    const made = await bench({ referrers: false });
    expect(await made.repository.referrers(image.descriptor)).toEqual([]);
    await pushed(made, image, signature, sbom, signature);
    const config = 'application/vnd.oci.empty.v1+json';
    const expected = [
      { ...signature.descriptor, artifactType: 'application/x.signature', annotations: { by: 'us' } },
      { ...sbom.descriptor, artifactType: config },
    ];
    expect(tagged(made)?.manifests).toEqual(expected);
    expect(await made.repository.referrers(image.descriptor)).toEqual(expected);
  });

  test('two at the same time are both listed', async () => {
    const made = await bench({ referrers: false });
    const many = Array.from({ length: 6 }, (_, i) =>
      sampleManifest({ subject: pin(image.descriptor), annotations: { n: String(i) } }),
    );
    await Promise.all(many.map(({ descriptor, content }) => made.repository.push(descriptor, content)));
    expect(new Set((await made.repository.referrers(image.descriptor)).map(({ digest }) => digest))).toEqual(
      new Set(many.map(({ descriptor }) => descriptor.digest)),
    );
  });

  test('what others listed stays, with their annotations', async () => {
    const made = await bench({ referrers: false });
    const theirs = {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [pin(sbom.descriptor)],
      annotations: { kept: 'yes' },
    };
    made.server.memory.putManifest(
      NAME,
      { mediaType: OCI_INDEX, bytes: Buffer.from(JSON.stringify(theirs)) },
      referrersTag(image.descriptor.digest),
    );
    await pushed(made, signature);
    expect(tagged(made)?.manifests.map(({ digest }) => digest)).toEqual([
      sbom.descriptor.digest,
      signature.descriptor.digest,
    ]);
    expect(tagged(made)?.annotations).toEqual({ kept: 'yes' });
  });

  test('a tag that someone uses for an image is not overwritten', async () => {
    const made = await bench({ referrers: false });
    made.server.memory.putManifest(
      NAME,
      { mediaType: image.descriptor.mediaType, bytes: image.bytes },
      referrersTag(image.descriptor.digest),
    );
    expect((await rejected(made.repository.push(signature.descriptor, signature.content))).code).toBe(
      'REGISTRY_PROTOCOL',
    );
  });

  test('a manifest without a subject makes no tag', async () => {
    const made = await bench({ referrers: false });
    const index = sample(
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: DOCKER_INDEX, manifests: [] })),
      DOCKER_INDEX,
    );
    await pushed(made, image, index);
    expect(made.server.memory.repository(NAME).tags.size).toBe(0);
  });
});
