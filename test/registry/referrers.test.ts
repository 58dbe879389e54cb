// Referrers: by the API, and by the tag where there is none (distribution-spec, "Referrers Tag Schema").
import { describe, expect, test } from 'vitest';
import { parseManifest, type Index } from '../../src/oci/manifest.ts';
import { DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { referrersTag } from '../../src/oci/referrer-tags.ts';
import { answers, answersError, answersHtml, changes } from '../support/faults.ts';
import type { Fault } from '../support/faulty-registry.ts';
import { lockPublished, publish } from '../support/lock-image.ts';
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

function says(status: number, mediaType: string, document: object): Fault {
  return answers(status, { 'content-type': mediaType }, Buffer.from(JSON.stringify(document)));
}

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
      [429, 'REGISTRY_RATE_LIMITED'],
      [500, 'REGISTRY_ERROR'],
      [503, 'REGISTRY_ERROR'],
    ] as const) {
      made.server.misbehave({ path: /\/referrers\// }, answersError(status, 'X'));
      expect((await rejected(made.repository.referrers(image.descriptor))).code).toBe(code);
    }
  });

  test('an index whose children cannot be understood is an error, not an empty list', async () => {
    const made = await bench();
    const broken = {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ ...pin(sbom.descriptor), digest: 'md5:0' }],
    };
    made.server.misbehave({ path: /\/referrers\// }, says(200, OCI_INDEX, broken));
    expect((await rejected(made.repository.referrers(image.descriptor))).code).toBe('MANIFEST_INVALID');
  });

  test('a referrer with a sha512 digest is an error, unless the caller takes it apart', async () => {
    const made = await bench();
    const digest = `sha512:${'a'.repeat(128)}`;
    const list = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...pin(sbom.descriptor), digest }] };
    made.server.misbehave({ path: /\/referrers\//, times: 2 }, says(200, OCI_INDEX, list));
    expect((await rejected(made.repository.referrers(image.descriptor))).code).toBe('MANIFEST_INVALID');
    const foreign: string[] = [];
    const onForeign = (one: { digest: string }): void => void foreign.push(one.digest);
    expect(await made.repository.referrers(image.descriptor, { onForeign })).toEqual([]);
    expect(foreign).toEqual([digest]);
  });

  test.each([
    ['404', answersError(404, 'NOT_FOUND'), 'CONTENT_MISSING'],
    ['something else', answersHtml(200), 'REGISTRY_PROTOCOL'],
  ])('a second page that is %s is an error: what is listed is not all', async (_what, fault, code) => {
    const made = await bench({}, { retries: 0 });
    await pushed(made, image, signature);
    const link = { link: `</v2/${NAME}/referrers/${image.descriptor.digest}?page=2>; rel="next"` };
    made.server.misbehave(
      { path: /\/referrers\// },
      changes((reply) => ({ ...reply, headers: { ...reply.headers, ...link } })),
    );
    made.server.misbehave({ path: /page=2/ }, fault);
    expect((await rejected(made.repository.referrers(image.descriptor))).code).toBe(code);
  });
});

/** The ways in which registries say that they have no API for referrers. */
const noApi: [string, Fault][] = [
  ...[400, 404, 405, 406, 410, 415, 501].flatMap((status): [string, Fault][] => [
    [`${status}`, answersError(status, 'UNSUPPORTED')],
    [`${status} and a page`, answersHtml(status)],
  ]),
  ['200 and a page', answersHtml(200)],
  ['200 and no body', answers(200)],
  ['200 and JSON', says(200, 'application/json', {})],
  ['200 and an index of another type', says(200, 'application/json', { schemaVersion: 2, manifests: [] })],
  ['200 and a manifest', says(200, OCI_MANIFEST, { schemaVersion: 2, config: {}, layers: [] })],
  ['200 and JSON that is no index', says(200, OCI_INDEX, {})],
  [
    '200 and something else that says it is an index',
    answers(200, { 'content-type': OCI_INDEX }, Buffer.from('<html>')),
  ],
  ['a list that is null', says(200, OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: null })],
  ['a list that is an object', says(200, OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: {} })],
  [
    'a redirect to a page to log in at (registry.k8s.io)',
    answers(307, { location: 'https://accounts.example/signin' }),
  ],
  ['a redirect to nowhere', answers(303)],
];

describe.each(noApi)('a referrers API that replies %s is none', (_how, fault) => {
  async function without(): Promise<Bench> {
    const made = await bench({ referrers: false }, { retries: 0 });
    made.server.misbehave({ path: /\/referrers\//, times: Infinity }, fault);
    return made;
  }

  test('the index under the tag is read', async () => {
    const made = await without();
    await pushed(made, image, signature);
    const found = await made.repository.referrers(image.descriptor);
    expect(found.map(({ digest }) => digest)).toEqual([signature.descriptor.digest]);
    expect(await made.repository.referrers(signature.descriptor)).toEqual([]);
  });

  test('an image is locked', async () => {
    const made = await without();
    const { root } = publish(made.server);
    expect(await lockPublished(made.server)).toMatchObject({ digest: root.digest, accompanying: [] });
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
      { mediaType: sbom.descriptor.mediaType, bytes: sbom.bytes },
      referrersTag(image.descriptor.digest),
    );
    expect((await rejected(made.repository.push(signature.descriptor, signature.content))).code).toBe(
      'REGISTRY_PROTOCOL',
    );
  });

  test('a registry that reads the tag as the digest (GitLab) does not make the children of an index its referrers', async () => {
    const made = await bench({ referrers: false });
    const children = [pin(image.descriptor), pin(sbom.descriptor)];
    const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: children };
    const index = sample(Buffer.from(JSON.stringify(document)), OCI_INDEX);
    await pushed(made, image, sbom, index);
    made.server.memory.repository(NAME).tags.set(referrersTag(index.descriptor.digest), index.descriptor.digest);
    expect(await made.repository.referrers(index.descriptor)).toEqual([]);
  });

  test.each([
    ['artifactType', { artifactType: null }],
    ['an empty artifactType', { artifactType: '' }],
    ['annotations', { annotations: null }],
    ['an annotation', { annotations: { a: null } }],
  ])('a referrer with null for %s is listed', async (_what, absent) => {
    const made = await bench({ referrers: false });
    const referrer = sampleManifest({ subject: pin(image.descriptor), n: 1, ...absent });
    await pushed(made, image, referrer);
    const [found] = await made.repository.referrers(image.descriptor);
    expect(found).toMatchObject({ ...referrer.descriptor, artifactType: 'application/vnd.oci.empty.v1+json' });
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
