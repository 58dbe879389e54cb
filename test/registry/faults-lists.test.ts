// Lists of a registry that misbehaves: referrers with and without an API, tags in pages.
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { RegistryOptions } from '../../src/registry/registry.ts';
import { answers, answersError, answersHtml, changesHeaders, endless } from '../support/faults.ts';
import type { FaultyRegistryOptions } from '../support/faulty-registry.ts';
import { bench, connect, NAME, sampleManifest, type Bench, type Sample } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const manifest = sampleManifest();
const { mediaType, digest, size } = manifest.descriptor;

async function filled(server: FaultyRegistryOptions = {}, client: RegistryOptions = {}): Promise<Bench> {
  const made = await bench(server, client);
  made.server.memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: manifest.bytes }, 'v1');
  return made;
}

describe('referrers', () => {
  const referrer = (name: string): Sample =>
    sampleManifest({ artifactType: `application/${name}`, subject: { mediaType, digest, size } });
  const [first, second] = [referrer('first'), referrer('second')];
  const digests = async ({ repository }: Pick<Bench, 'repository'>) =>
    (await repository.referrers(manifest.descriptor)).map((found) => found.digest).sort();
  const FALLBACK = digest.replace(':', '-');

  test.each([
    ['with the API', true],
    ['without it, by the fallback tag', false],
  ])('%s: what was pushed is listed', async (_, referrers) => {
    const made = await filled({ referrers });
    expect(await digests(made)).toEqual([]);
    for (const each of [first, second]) await made.repository.push(each.descriptor, each.content);
    expect(await digests(made)).toEqual([first.descriptor.digest, second.descriptor.digest].sort());
    const again = connect(made.server);
    expect(await digests(again)).toEqual([first.descriptor.digest, second.descriptor.digest].sort());
    expect(made.server.memory.repository(NAME).tags.has(FALLBACK)).toBe(!referrers);
  });

  test('the fallback tag names an index with artifact types, and what others wrote stays', async () => {
    const made = await filled({ referrers: false });
    const theirs = {
      mediaType: OCI_MANIFEST,
      digest: digestOf(Buffer.from('theirs')),
      size: 6,
      artifactType: 'application/theirs',
      annotations: { a: 'b' },
    };
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [theirs] };
    made.server.memory.putManifest(NAME, { mediaType: OCI_INDEX, bytes: Buffer.from(JSON.stringify(index)) }, FALLBACK);
    await made.repository.push(first.descriptor, first.content);
    const repository = made.server.memory.repository(NAME);
    const { mediaType: type, bytes } = repository.manifests.get(repository.tags.get(FALLBACK) ?? '')!;
    const written = JSON.parse(bytes.toString()) as typeof index;
    expect(type).toBe(OCI_INDEX);
    expect(written.manifests).toContainEqual(theirs);
    expect(written.manifests).toContainEqual(
      expect.objectContaining({ digest: first.descriptor.digest, artifactType: 'application/first' }),
    );
    expect(written.manifests).toHaveLength(2);
  });

  test('pushed twice, it is listed once', async () => {
    const made = await filled({ referrers: false });
    await made.repository.push(first.descriptor, first.content);
    await connect(made.server).repository.push(first.descriptor, first.content);
    expect(await digests(made)).toEqual([first.descriptor.digest]);
  });

  test('pushed at the same time, none is lost', async () => {
    const made = await filled({ referrers: false });
    const many = Array.from({ length: 8 }, (_, i) => referrer(`n${i}`));
    await Promise.all(many.map((each) => made.repository.push(each.descriptor, each.content)));
    expect(await digests(made)).toEqual(many.map((each) => each.descriptor.digest).sort());
  });

  test.each([
    ['HTML', answersHtml(404)],
    ['an error of the registry', answersError(404, 'NOT_FOUND')],
    ['nothing', answers(404)],
    ['405', answersError(405, 'UNSUPPORTED')],
  ])('404 with %s means that there is no API', async (_, fault) => {
    const made = await filled({ referrers: false });
    await made.repository.push(first.descriptor, first.content);
    made.server.misbehave({ path: /\/referrers\//, times: Infinity }, fault);
    expect(await digests(connect(made.server))).toEqual([first.descriptor.digest]);
  });

  test.each([
    ['401', answersError(401, 'UNAUTHORIZED'), 'REGISTRY_UNAUTHORIZED'],
    ['403', answersError(403, 'DENIED'), 'REGISTRY_DENIED'],
    ['429', answers(429), 'REGISTRY_RATE_LIMITED'],
    ['500', answersError(500, 'UNKNOWN'), 'REGISTRY_ERROR'],
  ])('%s never means that there are none', async (_, fault, code) => {
    const made = await filled({}, { retries: 1 });
    made.server.misbehave({ path: /\/referrers\//, times: Infinity }, fault);
    expect((await rejected(made.repository.referrers(manifest.descriptor))).code).toBe(code);
  });

  // what is not an index at all is no API for them (referrers.test.ts)
  test('an index with a malformed digest is refused', async () => {
    const made = await filled();
    const child = { mediaType, digest: 'sha256:../../x', size: 1 };
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child] }));
    made.server.misbehave(
      { path: /\/referrers\//, times: Infinity },
      answers(200, { 'content-type': OCI_INDEX }, body),
    );
    expect((await rejected(made.repository.referrers(manifest.descriptor))).code).toBe('MANIFEST_INVALID');
  });

  test('a list without end is read to its bound only', async () => {
    const made = await filled();
    made.server.misbehave({ path: /\/referrers\//, times: Infinity }, () => ({
      status: 200,
      headers: { 'content-type': OCI_INDEX },
      body: endless(),
    }));
    expect((await rejected(made.repository.referrers(manifest.descriptor))).code).toBe('REGISTRY_PROTOCOL');
  });
});

describe('tags', () => {
  const all = async (made: Bench) => {
    const found: string[] = [];
    for await (const tag of made.repository.tags()) found.push(tag);
    return found;
  };

  test('over pages', async () => {
    const made = await filled();
    const names = Array.from({ length: 250 }, (_, i) => `t${String(i).padStart(3, '0')}`);
    for (const name of names) made.server.memory.repository(NAME).tags.set(name, digest);
    made.server.memory.repository(NAME).tags.delete('v1');
    expect(await all(made)).toEqual(names);
  });

  test('pages that lead in a circle end', async () => {
    const made = await filled();
    made.server.misbehave(
      { path: /\/tags\/list/, times: Infinity },
      changesHeaders({ link: `</v2/${NAME}/tags/list?n=1&last=a>; rel="next"` }),
    );
    expect((await rejected(all(made))).code).toBe('REGISTRY_PROTOCOL');
    expect(made.server.requests.length).toBeLessThan(10);
  });

  test('a null list is an empty one', async () => {
    const made = await filled();
    made.server.misbehave(
      { path: /\/tags\/list/ },
      answers(200, { 'content-type': 'application/json' }, Buffer.from(`{"name":"${NAME}","tags":null}`)),
    );
    expect(await all(made)).toEqual([]);
  });

  test('what is no tag is not passed on', async () => {
    const made = await filled();
    made.server.misbehave(
      { path: /\/tags\/list/ },
      answers(200, {}, Buffer.from('{"tags":["../../x","v1","a b",""]}')),
    );
    expect(await all(made)).toEqual(['v1']);
  });

  test.each([
    ['a repository that is not there', answersError(404, 'NAME_UNKNOWN'), 'CONTENT_MISSING'],
    ['a page of a proxy', answersHtml(404), 'REGISTRY_ERROR'],
    ['not JSON', answersHtml(200), 'REGISTRY_PROTOCOL'],
  ])('%s', async (_, fault, code) => {
    const made = await filled();
    made.server.misbehave({ path: /\/tags\/list/, times: Infinity }, fault);
    expect((await rejected(all(made))).code).toBe(code);
  });
});
