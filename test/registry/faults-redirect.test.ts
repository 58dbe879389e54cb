// Redirects: blobs and manifests may be kept elsewhere, nothing else; credentials never go along.
import { describe, expect, test } from 'vitest';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { answers, endsAfterSending, resets } from '../support/faults.ts';
import { header } from '../support/memory-registry.ts';
import {
  bench,
  download,
  NAME,
  sample,
  sampleBytes,
  sampleManifest,
  startServer,
  type Bench,
} from '../support/registry-bench.ts';
import type { FaultyRegistry } from '../support/faulty-registry.ts';
import { rejected } from '../support/thrown.ts';

const blob = sample(sampleBytes(50_000));
const manifest = sampleManifest();

interface TwoHosts extends Bench {
  /** Another origin that has the same content and wants no credentials. */
  readonly elsewhere: FaultyRegistry;
}

async function twoHosts(kind: 'basic' | 'bearer' = 'bearer'): Promise<TwoHosts> {
  const made = await bench({ auth: { kind } });
  const elsewhere = await startServer({ address: '127.0.0.2' });
  for (const { memory } of [made.server, elsewhere]) {
    memory.putBlob(NAME, blob.bytes);
    memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: manifest.bytes }, 'v1');
  }
  return { ...made, elsewhere };
}

const authorized = (server: FaultyRegistry) =>
  server.requests.filter((request) => header(request, 'authorization') !== undefined);

describe.each([301, 302, 303, 307, 308])('%i', (status) => {
  const redirectsTo = (made: TwoHosts, path: RegExp) =>
    made.server.misbehave({ path, times: Infinity }, async (call, proceed) => {
      const reply = await proceed();
      return reply.status === 401
        ? reply
        : { status, headers: { location: `${made.elsewhere.origin}${call.url.pathname}?X-Signature=a%2Fb%2B` } };
    });

  test.each(['basic', 'bearer'] as const)(
    'a blob on another host is fetched from there, without Authorization (%s)',
    async (kind) => {
      const made = await twoHosts(kind);
      redirectsTo(made, /\/blobs\//);
      expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
      expect(made.elsewhere.asked('GET', /X-Signature=a%2Fb%2B/)).toHaveLength(1);
      expect(authorized(made.server)).not.toEqual([]);
      expect(authorized(made.elsewhere)).toEqual([]);
      expect(header(made.elsewhere.requests[0]!, 'host')).toBe(made.elsewhere.host);
    },
  );

  test('so is a manifest', async () => {
    const made = await twoHosts();
    redirectsTo(made, /\/manifests\//);
    expect(await download(made.repository, manifest.descriptor)).toEqual(manifest.bytes);
    expect((await made.repository.resolve('v1')).digest).toBe(manifest.descriptor.digest);
    expect(authorized(made.elsewhere)).toEqual([]);
  });
});

test('a blob that breaks off elsewhere is asked for again at the registry, since signed URLs end', async () => {
  const made = await twoHosts();
  made.server.misbehave({ path: /\/blobs\//, times: Infinity }, async (call, proceed) => {
    const reply = await proceed();
    return reply.status === 401
      ? reply
      : { status: 307, headers: { location: `${made.elsewhere.origin}${call.url.pathname}` } };
  });
  made.elsewhere
    .misbehave({ method: 'GET', at: 1 }, endsAfterSending(20_000))
    .misbehave({ method: 'GET', at: 2 }, resets);
  expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
  expect(made.elsewhere.asked('GET').map((request) => header(request, 'range'))).toEqual([
    undefined,
    expect.stringMatching(/^bytes=20000-/),
    expect.stringMatching(/^bytes=20000-/),
  ]);
  expect(made.server.asked('GET', /\/blobs\//).filter(({ status }) => status === 307)).toHaveLength(3);
});

test('what another host refuses is an error with its own code, and its 401 gets no credentials', async () => {
  for (const [status, code] of [
    [401, 'REGISTRY_UNAUTHORIZED'],
    [403, 'REGISTRY_DENIED'],
  ] as const) {
    const made = await twoHosts();
    made.server.misbehave(
      { path: /\/blobs\//, times: Infinity },
      answers(307, { location: `${made.elsewhere.origin}/x` }),
    );
    made.elsewhere.misbehave({ times: Infinity }, answers(status, { 'www-authenticate': `Basic realm="x"` }));
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe(code);
    expect(authorized(made.elsewhere)).toEqual([]);
  }
});

test.each([
  ['with an error body of a registry (registry.k8s.io)', JSON.stringify({ errors: [{ code: 'BLOB_UNKNOWN' }] })],
  ['of a store', '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'],
])('404 elsewhere %s is absence', async (_, body) => {
  const made = await twoHosts();
  made.server.misbehave(
    { path: /\/blobs\//, times: Infinity },
    answers(307, { location: `${made.elsewhere.origin}/x` }),
  );
  made.elsewhere.misbehave({ times: Infinity }, answers(404, {}, Buffer.from(body)));
  expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('CONTENT_MISSING');
});

test('a way back to the registry gets no credentials either', async () => {
  const made = await twoHosts('basic');
  const path = `/v2/${NAME}/blobs/${blob.descriptor.digest}`;
  made.server.misbehave({ path: /\/blobs\/.*/, at: 2 }, answers(307, { location: `${made.elsewhere.origin}/back` }));
  made.elsewhere.misbehave({ times: Infinity }, answers(307, { location: `${made.server.origin}${path}?back` }));
  expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('REGISTRY_UNAUTHORIZED');
  const asked = made.server.asked('GET', /\?back/);
  expect(asked.map((request) => header(request, 'authorization'))).toEqual([undefined]);
});

test('redirects in a circle end', async () => {
  const made = await twoHosts();
  made.server.misbehave(
    { path: /\/blobs\//, times: Infinity },
    answers(307, { location: `/v2/${NAME}/blobs/${blob.descriptor.digest}` }),
  );
  expect((await rejected(download(made.repository, blob.descriptor))).code).toMatch(
    /^(URL_REFUSED|REGISTRY_PROTOCOL)$/,
  );
  expect(made.server.asked('GET', /\/blobs\//).length).toBeLessThanOrEqual(6);
  expect(made.clock.slept).toEqual([]);
});

test('five redirects are followed', async () => {
  const made = await twoHosts();
  made.server.misbehave({ path: /\/hop\/[0-3]$/, times: Infinity }, (call) => ({
    status: 302,
    headers: { location: String(Number(call.url.pathname.slice(-1)) + 1) },
  }));
  made.server.misbehave({ path: /\/hop\/4$/, times: Infinity }, answers(200, {}, blob.bytes));
  made.server.misbehave({ path: /\/blobs\//, times: Infinity }, answers(302, { location: '/hop/0' }));
  expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
});

test.each([
  ['POST', /\/blobs\/uploads\//],
  ['PATCH', /\/blobs\/uploads\//],
  ['PUT', /\/blobs\/uploads\//],
  ['PUT', /\/manifests\//],
])('%s %s is never redirected to another host', async (method, path) => {
  const made = await twoHosts();
  const other = sample(sampleBytes(10_000, 'other'));
  made.server.misbehave({ method, path, times: Infinity }, (call) => ({
    status: 307,
    headers: { location: `${made.elsewhere.origin}${call.url.pathname}` },
  }));
  const pushing = path.source.includes('manifests')
    ? made.repository.push(
        sampleManifest({ annotations: { a: 'b' } }).descriptor,
        sampleManifest({ annotations: { a: 'b' } }).content,
      )
    : made.repository.push(other.descriptor, other.content);
  expect((await rejected(pushing)).code).toBe('URL_REFUSED');
  expect(made.elsewhere.requests).toEqual([]);
});

test.each(['referrers', 'tags'])('a list of %s is never fetched from another host', async (what) => {
  const made = await twoHosts();
  made.server.misbehave({ path: new RegExp(`/${what}/`), times: Infinity }, (call) => ({
    status: 307,
    headers: { location: `${made.elsewhere.origin}${call.url.pathname}` },
  }));
  if (what === 'tags') {
    const tags = made.repository.tags()[Symbol.asyncIterator]();
    expect((await rejected(Promise.resolve(tags.next()))).code).toBe('URL_REFUSED');
  } else expect(await made.repository.referrers(manifest.descriptor)).toEqual([]); // there is no API for them
  expect(made.elsewhere.requests).toEqual([]);
});

test.each(['ftp://127.0.0.1/x', 'file:///etc/passwd', 'http://alice:s3cret@127.0.0.1/x', 'http://', 'data:,x'])(
  '%s is not followed',
  async (location) => {
    const made = await twoHosts();
    made.server.misbehave({ path: /\/blobs\//, times: Infinity }, answers(307, { location }));
    const error = await rejected(download(made.repository, blob.descriptor));
    expect(error.code).toBe('URL_REFUSED');
    expect(error.message).not.toContain('s3cret');
  },
);

test('a redirect without a Location is no answer', async () => {
  const made = await twoHosts();
  made.server.misbehave({ path: /\/blobs\//, times: Infinity }, answers(307));
  expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('REGISTRY_PROTOCOL');
});
