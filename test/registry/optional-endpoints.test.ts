// What registries leave out, or do in their own way, where others go by the specification: each row is a registry of that
// kind, and the same work succeeds there. Referrers are in referrers.test.ts, absence in absence.test.ts.
import { describe, expect, test } from 'vitest';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { answers, answersError, answersHtml, changes, changesHeaders } from '../support/faults.ts';
import type { Fault, FaultyRegistry } from '../support/faulty-registry.ts';
import { header, registryError } from '../support/memory-registry.ts';
import { large, pushing, stored, UPLOADS } from '../support/push-bench.ts';
import { bench, download, NAME, sample, sampleBytes, sampleManifest, type Bench } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const layer = sample(sampleBytes(900, 'layer'));
const image = sampleManifest({ layers: [layer.descriptor] });
const always = { times: Infinity };

/** Pushes an image with a blob in one request and one in chunks, tags it, mounts, lists and reads it again. */
async function work(made: Bench): Promise<void> {
  const { repository, server } = made;
  for (const { descriptor, content } of [layer, large, image]) {
    expect(await repository.exists(descriptor)).toBe(false);
    await repository.push(descriptor, content);
    expect(await repository.exists(descriptor)).toBe(true);
  }
  await repository.tag(image.descriptor, 'v1');
  await repository.tag(image.descriptor, 'v1');
  expect(await repository.resolve('v1')).toEqual(image.descriptor);
  for (const { descriptor, bytes } of [layer, large, image])
    expect(await download(repository, descriptor)).toEqual(bytes);
  const other = made.registry.repository('demo/other', 'push');
  await other.push(layer.descriptor, layer.content);
  expect(server.memory.repository('demo/other').blobs.get(layer.descriptor.digest)).toEqual(layer.bytes);
}

/** The status of a response that went well is another one. */
const saysInstead = (status: number): Fault =>
  changes((reply) => (reply.status < 300 ? { ...reply, status, body: Buffer.alloc(0) } : reply));

const kinds: [string, (server: FaultyRegistry) => unknown][] = [
  ['no HEAD (405)', (server) => server.misbehave({ method: 'HEAD', ...always }, answers(405))],
  ['no HEAD (501)', (server) => server.misbehave({ method: 'HEAD', ...always }, answers(501))],
  ['no HEAD (400)', (server) => server.misbehave({ method: 'HEAD', ...always }, answers(400))],
  [
    'HEAD of manifests without Accept (406)',
    (server) => server.misbehave({ method: 'HEAD', path: /manifests/, ...always }, answers(406)),
  ],
  [
    'HEAD without Content-Length',
    (server) => server.misbehave({ method: 'HEAD', ...always }, changesHeaders({ 'content-length': undefined })),
  ],
  [
    'no Docker-Content-Digest',
    (server) => server.misbehave(always, changesHeaders({ 'docker-content-digest': undefined })),
  ],
  [
    'no Range in downloads',
    (server) => server.misbehave({ method: 'GET', path: /\/blobs\/sha256/, ...always }, ignoresRange),
  ],
  ...[404, 405, 410, 501].map((status): [string, (server: FaultyRegistry) => unknown] => [
    `no chunks (${status})`,
    (server) => server.misbehave({ method: 'PATCH', ...always }, answersError(status, 'UNSUPPORTED')),
  ]),
  ['no chunks (404 and a page)', (server) => server.misbehave({ method: 'PATCH', ...always }, answersHtml(404))],
  ['no chunks of any size (413)', (server) => server.misbehave({ method: 'PATCH', ...always }, answersHtml(413))],
  [
    'chunks, but nobody can ask how far an upload is',
    (server) => server.misbehave({ method: 'GET', path: UPLOADS, ...always }, answers(405)),
  ],
  ...[200, 201, 204].map((status): [string, (server: FaultyRegistry) => unknown] => [
    `${status} for a session`,
    (server) => server.misbehave({ method: 'POST', path: /uploads\/$/, ...always }, saysInstead(status)),
  ]),
  ...[200, 202, 204].map((status): [string, (server: FaultyRegistry) => unknown] => [
    `${status} for everything that is made`,
    (server) => server.misbehave({ method: 'PUT', ...always }, saysInstead(status)),
  ]),
  ...[200, 204].map((status): [string, (server: FaultyRegistry) => unknown] => [
    `${status} for a mount`,
    (server) => server.misbehave({ method: 'POST', path: /mount=/, ...always }, saysInstead(status)),
  ]),
  ...[400, 401, 403, 404, 405, 500, 501].map((status): [string, (server: FaultyRegistry) => unknown] => [
    `no mounts (${status})`,
    (server) => server.misbehave({ method: 'POST', path: /mount=/, ...always }, answersError(status, 'UNSUPPORTED')),
  ]),
  [
    'mounts that open a session nowhere',
    (server) => server.misbehave({ method: 'POST', path: /mount=/, ...always }, answers(202)),
  ],
  [
    'mounts that are redirected',
    (server) =>
      server.misbehave({ method: 'POST', path: /mount=/, ...always }, answers(307, { location: 'https://x.example/' })),
  ],
  [
    'mounts that mount nothing',
    (server) => server.misbehave({ method: 'POST', path: /mount=/, ...always }, answers(201)),
  ],
  [
    'a whole URL as Location',
    (server) =>
      server.misbehave(
        { path: UPLOADS, ...always },
        locations((path) => `${server.origin}${path}`),
      ),
  ],
  [
    'a Location without its host',
    (server) =>
      server.misbehave(
        { path: UPLOADS, ...always },
        locations((path) => `//${server.host}${path}`),
      ),
  ],
  [
    'a Location relative to the request',
    (server) =>
      server.misbehave(
        { method: 'POST', path: UPLOADS, ...always },
        locations((path) => `./${path.split('/').at(-1)}`),
      ),
  ],
  [
    'a Location for the session alone',
    (server) => server.misbehave({ method: 'PATCH', ...always }, changesHeaders({ location: undefined })),
  ],
  [
    'chunks of at least as much as the blob has',
    (server) =>
      server.misbehave(
        { method: 'POST', path: UPLOADS, ...always },
        changesHeaders({ 'oci-chunk-min-length': '1000000' }),
      ),
  ],
  [
    'a least size of chunks that cannot be meant',
    (server) =>
      server.misbehave(
        { method: 'POST', path: UPLOADS, ...always },
        changesHeaders({ 'oci-chunk-min-length': '99999999999999999999' }),
      ),
  ],
];

describe.each(kinds)('a registry with %s', (_kind, misbehaving) => {
  test('takes an image and gives it back', async () => {
    const made = await bench({}, { retries: 4 });
    misbehaving(made.server);
    await work(made);
  });
});

/** 200 and all of it, whatever part was asked for. */
const ignoresRange: Fault = (call) =>
  call.registry.memory.handle({ ...call, headers: { ...call.headers, range: undefined } });

function locations(rewrite: (path: string) => string): Fault {
  return changes((reply) => {
    const location = header({ headers: (reply.headers ?? {}) as Record<string, string> }, 'location');
    return location === undefined ? reply : { ...reply, headers: { ...reply.headers, location: rewrite(location) } };
  });
}

describe('what goes wrong all the same is an error, and soon', () => {
  test('a registry that fails at mounts is not asked for each blob', async () => {
    const made = await bench({}, { retries: 2 });
    made.server.misbehave({ method: 'POST', path: /mount=/, ...always }, answers(500));
    const blobs = Array.from({ length: 5 }, (_, i) => sample(sampleBytes(100, `blob ${i}`)));
    for (const name of ['demo/one', 'demo/two'])
      for (const { descriptor, content } of blobs)
        await made.registry.repository(name, 'push').push(descriptor, content);
    expect(made.server.asked('POST', /mount=/)).toHaveLength(3);
  });

  test('a registry that limits requests is waited for at mounts too', async () => {
    const made = await bench();
    await made.registry.repository('demo/one', 'push').push(layer.descriptor, layer.content);
    made.server.misbehave({ method: 'POST', path: /mount=/ }, answers(429, { 'retry-after': '7' }));
    await made.repository.push(layer.descriptor, layer.content);
    expect(made.clock.slept).toEqual([7000]);
    expect(made.registry.stats).toMatchObject({ mounts: 1 });
  });

  test.each([404, 413])('neither chunks nor the whole (%i): a few requests', async (status) => {
    const made = await pushing({}, { retries: 2 });
    for (const method of ['PATCH', 'PUT'])
      made.server.misbehave({ method, path: UPLOADS, ...always }, answersHtml(status));
    expect((await rejected(made.push())).code).toBe('REGISTRY_ERROR');
    expect(stored(made)).toBeUndefined();
    expect(made.server.requests.length).toBeLessThan(40);
  });

  test.each([200, 202, 204])('%i for a manifest that is not there afterwards is not believed', async (status) => {
    const made = await bench({}, { retries: 1 });
    made.server.misbehave({ method: 'PUT', path: /manifests/, ...always }, answers(status));
    expect((await rejected(made.repository.push(image.descriptor, image.content))).code).toBe('REGISTRY_PROTOCOL');
  });

  test('a session without any Location', async () => {
    const made = await pushing({}, { retries: 1 });
    made.server.misbehave({ method: 'POST', path: UPLOADS, ...always }, changesHeaders({ location: undefined }));
    expect((await rejected(made.push())).code).toBe('REGISTRY_PROTOCOL');
  });
});

describe('the list of tags', () => {
  async function tags(fault?: Fault): Promise<string[]> {
    const made = await bench({}, { retries: 0 });
    made.server.memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: image.bytes }, 'v1');
    if (fault) made.server.misbehave({ path: /tags\/list/, ...always }, fault);
    const found: string[] = [];
    for await (const tag of made.repository.tags()) found.push(tag);
    return found;
  }
  const listing = (document: unknown): Fault => answers(200, {}, Buffer.from(JSON.stringify(document)));

  test.each([
    ['as it should be', undefined, ['v1']],
    ['null', listing({ name: NAME, tags: null }), []],
    ['without a name, and of another type', listing({ tags: ['a', 'b'] }), ['a', 'b']],
    ['with what is no tag', listing({ tags: ['a', null, 5, 'no tag', '../x'] }), ['a']],
  ])('%s', async (_what, fault, expected) => {
    expect(await tags(fault)).toEqual(expected);
  });

  test.each([
    ['404', answersError(404, 'NAME_UNKNOWN'), 'CONTENT_MISSING'],
    ['403', answersError(403, 'DENIED'), 'REGISTRY_DENIED'],
    ['405', answersError(405, 'UNSUPPORTED'), 'REGISTRY_ERROR'],
    ['a page', answersHtml(200), 'REGISTRY_PROTOCOL'],
    ['no list', listing({}), 'REGISTRY_PROTOCOL'],
  ])('%s is an error', async (_what, fault, code) => {
    expect((await rejected(tags(fault))).code).toBe(code);
  });
});

describe('who one is', () => {
  const json = (document: unknown): Fault => answers(200, {}, Buffer.from(JSON.stringify(document)));

  async function pulls(challenge: (origin: string) => string | string[], token?: Fault): Promise<Bench> {
    const made = await bench({ auth: { kind: 'bearer' } }, { retries: 0 });
    made.server.memory.putBlob(NAME, layer.bytes);
    made.server.misbehave({ path: /^\/v2\//, ...always }, (call, proceed) => {
      if (header(call, 'authorization') !== undefined)
        return token === undefined ? proceed() : call.registry.memory.handle(call);
      return {
        ...registryError(401, 'UNAUTHORIZED'),
        headers: { 'www-authenticate': challenge(call.registry.origin) },
      };
    });
    if (token) made.server.misbehave({ path: /^\/token/, ...always }, token);
    expect(await download(made.repository, layer.descriptor)).toEqual(layer.bytes);
    return made;
  }
  const usual = (origin: string): string => `Bearer realm="${origin}/token",service="test"`;

  test.each<[string, (origin: string) => string | string[]]>([
    ['in capitals', (origin) => `BEARER REALM="${origin}/token", SERVICE="test"`],
    ['in small letters', (origin) => `bearer realm="${origin}/token"`],
    ['after Basic', (origin) => `Basic realm="test", Bearer realm="${origin}/token",service="test"`],
    ['before Basic', (origin) => `Bearer realm="${origin}/token",service="test", Basic realm="test"`],
    ['among others', (origin) => [`Negotiate`, `NTLM`, usual(origin), `Basic realm="test"`]],
    ['beside one that cannot be read', (origin) => ['Basic realm=a b', usual(origin)]],
    ['with a scope of its own', (origin) => `${usual(origin)},scope="repository:${NAME}:pull"`],
    ['with an error and a scope that is none', (origin) => `${usual(origin)},scope="",error="invalid_token"`],
  ])('a challenge %s', async (_what, challenge) => {
    await pulls(challenge);
  });

  test.each([
    ['token alone', { token: 't' }],
    ['access_token alone', { access_token: 't' }],
    ['token that is null', { token: null, access_token: 't' }],
    ['token that is empty', { token: '', access_token: 't' }],
    ...[0, -1, 1e308, 0.001, '300', 'soon', null, [], {}].map((life): [string, object] => [
      `expires_in ${JSON.stringify(life)}`,
      { token: 't', expires_in: life },
    ]),
  ])('a token with %s', async (_what, document) => {
    const made = await pulls(usual, json(document));
    expect(await download(made.repository, layer.descriptor)).toEqual(layer.bytes);
    expect(made.server.asked('GET', /^\/token/).length).toBeLessThanOrEqual(2);
  });
});

describe('the root of the API', () => {
  test.each<[string, Fault | undefined, string | undefined]>([
    ['200', undefined, undefined],
    ['200 and a page', answersHtml(200), undefined],
    ['401', answersError(401, 'UNAUTHORIZED'), 'REGISTRY_UNAUTHORIZED'],
    ['403', answersError(403, 'DENIED'), 'REGISTRY_DENIED'],
    ['404', answersHtml(404), 'REGISTRY_PROTOCOL'],
    ['500', answers(500), 'REGISTRY_ERROR'],
  ])('%s', async (_what, fault, code) => {
    const made = await bench({}, { retries: 0 });
    if (fault) made.server.misbehave({ path: /^\/v2\/$/, ...always }, fault);
    if (code === undefined) await made.registry.ping();
    else expect((await rejected(made.registry.ping())).code).toBe(code);
  });

  test('is not needed: registries that close it give what one may read', async () => {
    const made = await bench();
    made.server.misbehave({ path: /^\/v2\/$/, ...always }, answers(403));
    await work(made);
  });
});
