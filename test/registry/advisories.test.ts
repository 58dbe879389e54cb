// Known vulnerabilities of registry clients, each as a test of ours. The scene: a registry that is hostile, or hijacked, or
// answered for by somebody on the way, and a second server that must learn nothing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digestOf, isDigest } from '../../src/core/digest.ts';
import { readBlob, type Descriptor } from '../../src/oci/descriptor.ts';
import { readManifest } from '../../src/oci/manifest.ts';
import { DOCKER_FOREIGN_LAYER, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { credentialSource } from '../../src/registry/credentials.ts';
import type { RegistryOptions } from '../../src/registry/registry.ts';
import { checkForeignLayerUrl, checkNextPage, checkRealm, checkRedirect, checkUploadLocation, type Sender } from '../../src/registry/url-policy.ts';
import type { FaultyRegistry } from '../support/faulty-registry.ts';
import { answers, answersError, changes, changesHeaders, endless } from '../support/faults.ts';
import { header } from '../support/memory-registry.ts';
import { alice, bench, connect, download, NAME, sample, sampleBytes, sampleManifest, startServer, type Bench } from '../support/registry-bench.ts';
import { rejected, thrown } from '../support/thrown.ts';

const MEBIBYTE = 1024 * 1024;
const blob = sample();
const manifest = sampleManifest();

interface Scene extends Bench {
  /** Another origin. It asks for credentials, as an attacker would. */
  readonly attacker: FaultyRegistry;
}

async function scene(client: RegistryOptions = {}, auth: 'basic' | 'bearer' = 'basic'): Promise<Scene> {
  const made = await bench({ auth: { kind: auth } }, client);
  const attacker = await startServer({ address: '127.0.0.2', auth: { kind: 'basic' } });
  made.server.memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: manifest.bytes }, 'v1');
  return { ...made, attacker };
}

/** Nothing that a server received holds a secret of the account. */
function expectNoSecrets(server: FaultyRegistry): void {
  const secrets = ['s3cret', Buffer.from('alice:s3cret').toString('base64'), 'token-'];
  for (const request of server.requests) {
    expect(header(request, 'authorization')).toBeUndefined();
    for (const secret of secrets) expect(JSON.stringify(request)).not.toContain(secret);
  }
}

describe('containerd CVE-2020-15157 (ContainerDrip): urls of a foreign layer get no credentials', () => {
  const foreign = (url: string): Descriptor => ({ ...blob.descriptor, mediaType: DOCKER_FOREIGN_LAYER, urls: [url] });

  test.each(['basic', 'bearer'] as const)('not those of the registry, whatever the other server asks for (%s)', async (kind) => {
    const made = await scene({}, kind);
    made.attacker.misbehave({ times: Infinity }, answers(401, { 'www-authenticate': `Bearer realm="${made.attacker.origin}/token",service="x"` }));
    const error = await rejected(download(made.repository, foreign(`${made.attacker.origin}/layer`)));
    expect(error.code).toMatch(/^REGISTRY_/);
    expect(made.attacker.requests.length).toBeGreaterThan(0);
    expectNoSecrets(made.attacker);
    expect(made.attacker.asked('GET', /token/)).toEqual([]);
  });

  test('nor after a redirect', async () => {
    const made = await scene();
    const open = await startServer();
    open.misbehave({ times: Infinity }, answers(302, { location: `${made.attacker.origin}/layer` }));
    await rejected(download(made.repository, foreign(`${open.origin}/layer`)));
    for (const server of [open, made.attacker]) expectNoSecrets(server);
  });

  test('nor do they go back to the registry through a url', async () => {
    const made = await scene();
    await rejected(download(made.repository, foreign(`${made.server.origin}/internal`)));
    for (const request of made.server.asked('GET', /internal/)) expect(header(request, 'authorization')).toBeUndefined();
  });

  test('a foreign layer that needs none is fetched, and verified', async () => {
    const made = await scene();
    const open = await startServer();
    open.misbehave({ times: Infinity }, answers(200, {}, blob.bytes));
    expect(await download(made.repository, foreign(`${open.origin}/layer`))).toEqual(blob.bytes);
    expectNoSecrets(open);
    open.misbehave({ times: Infinity }, answers(200, {}, blob.bytes));
    const wrong = { ...foreign(`${open.origin}/layer`), digest: digestOf(Buffer.from('other')) };
    expect((await rejected(download(made.repository, wrong))).code).toBe('DIGEST_MISMATCH');
  });
});

describe('regclient GHSA-qvqc-4c52-x6qp: urls in a descriptor', () => {
  test('are not asked when the registry has the layer', async () => {
    const made = await scene();
    made.server.memory.putBlob(NAME, blob.bytes);
    const layer = { ...blob.descriptor, mediaType: DOCKER_FOREIGN_LAYER, urls: [`${made.attacker.origin}/layer`] };
    expect(await download(made.repository, layer)).toEqual(blob.bytes);
    expect(made.attacker.requests).toEqual([]);
  });

  test('of an ordinary layer, a config or a manifest are not asked at all', async () => {
    const made = await scene();
    const urls = [`${made.attacker.origin}/x`];
    for (const descriptor of [blob.descriptor, sampleManifest({ annotations: { a: 'b' } }).descriptor]) {
      expect((await rejected(download(made.repository, { ...descriptor, urls }))).code).toBe('CONTENT_MISSING');
    }
    expect(made.attacker.requests).toEqual([]);
  });

  test.each([
    [401, 'REGISTRY_UNAUTHORIZED'],
    [403, 'REGISTRY_DENIED'],
    [429, 'REGISTRY_RATE_LIMITED'],
    [500, 'REGISTRY_ERROR'],
  ])('are not asked when the registry answers %i', async (status, code) => {
    const made = await scene({ retries: 0 });
    made.server.misbehave({ path: /\/blobs\//, times: Infinity }, answersError(status, 'X'));
    const layer = { ...blob.descriptor, mediaType: DOCKER_FOREIGN_LAYER, urls: [`${made.attacker.origin}/layer`] };
    expect((await rejected(download(made.repository, layer))).code).toBe(code);
    expect(made.attacker.requests).toEqual([]);
  });

  test.each(['file:///etc/passwd', 'http://alice:pw@127.0.0.1/x', 'gopher://x', 'http://169.254.169.254/latest/meta-data', 'http://example.com/layer', '/etc/passwd', ''])(
    '%s is refused',
    async (url) => {
      const made = await scene();
      const layer = { ...blob.descriptor, mediaType: DOCKER_FOREIGN_LAYER, urls: [url] };
      expect((await rejected(download(made.repository, layer))).code).toBe('URL_REFUSED');
    },
  );
});

describe('Docker CLI CVE-2021-41092: a broken credentials configuration sends secrets to Docker Hub', () => {
  test('a helper that cannot be run is an error, and what was typed is for its own host only', async () => {
    const home = await mkdtemp(join(tmpdir(), 'advisories-'));
    onTestFinished(() => rm(home, { recursive: true }));
    await writeFile(join(home, 'config.json'), JSON.stringify({ credsStore: 'absent-from-path' }));
    const overrides = { 'registry.example': { kind: 'basic' as const, username: 'alice', password: 's3cret' } };
    const source = credentialSource({ env: { DOCKER_CONFIG: home, PATH: home }, homeDir: home, overrides });
    expect(await source.find('registry.example')).toEqual(overrides['registry.example']);
    for (const host of ['docker.io', 'registry-1.docker.io', 'index.docker.io', 'registry.example:5000']) {
      expect((await rejected(source.find(host))).code).toBe('CREDENTIALS_INVALID');
    }
  });
});

describe('oras-go GHSA-vh4v-2xq2-g5cg: a redirect to another host gets no credentials', () => {
  test.each(['basic', 'bearer'] as const)('nor does its challenge (%s)', async (kind) => {
    const made = await scene({}, kind);
    made.server.misbehave({ path: /\/blobs\//, times: Infinity }, answers(307, { location: `${made.attacker.origin}/x` }));
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('REGISTRY_UNAUTHORIZED');
    expect(made.attacker.requests.length).toBeGreaterThan(0);
    expectNoSecrets(made.attacker);
  });

  test('another port of the same host is another host', async () => {
    const made = await scene();
    const neighbour = await startServer({ auth: { kind: 'basic' } });
    made.server.misbehave({ path: /\/blobs\//, times: Infinity }, answers(307, { location: `${neighbour.origin}/x` }));
    await rejected(download(made.repository, blob.descriptor));
    expect(neighbour.requests.length).toBeGreaterThan(0);
    expectNoSecrets(neighbour);
  });
});

describe('oras-go GHSA-jxpm-75mh-9fp7: an upload Location on another host gets neither blob nor credentials', () => {
  test.each(['POST', 'PATCH'])('in the answer to %s', async (method) => {
    const made = await scene();
    made.server.misbehave({ method, path: /\/uploads\//, times: Infinity }, async (_call, proceed) => {
      const reply = await proceed();
      return reply.status === 401 ? reply : { ...reply, headers: { ...reply.headers, location: `${made.attacker.origin}/v2/${NAME}/blobs/uploads/1` } };
    });
    const error = await rejected(made.repository.push(blob.descriptor, blob.content));
    expect(error.code).toBe('URL_REFUSED');
    expect(error.hint).toBeTruthy();
    expect(made.attacker.requests).toEqual([]);
    expect(made.server.memory.repository(NAME).blobs.size).toBe(0);
  });

  test.each(['//127.0.0.2/x', 'http:\\\\127.0.0.2\\x', 'https://127.0.0.1@127.0.0.2/x', 'http://127.0.0.1:1/x', 'http://127.1:1/x', 'file:///x'])('%s', async (location) => {
    const made = await scene();
    made.server.misbehave({ method: 'POST', times: Infinity }, changes((reply) => (reply.status === 401 ? reply : { ...reply, headers: { location } })));
    expect((await rejected(made.repository.push(blob.descriptor, blob.content))).code).toBe('URL_REFUSED');
  });
});

describe('oras-go GHSA-xf85-363p-868w: a bearer realm', () => {
  test.each(['http://example.com/token', 'http://169.254.169.254/token', 'http://10.0.0.1/token', 'file:///x', 'http://alice:pw@127.0.0.1/token', 'nonsense', ''])(
    '%s gets no credentials of a registry',
    async (realm) => {
      const made = await scene();
      made.server.misbehave({ path: /^\/v2\//, times: Infinity }, answers(401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` }));
      const error = await rejected(download(made.repository, blob.descriptor));
      expect(error.code).toBe('URL_REFUSED');
      expect(error.message).not.toContain('s3cret');
    },
  );

  test('is not followed when it redirects', async () => {
    const made = await scene({}, 'bearer');
    made.server.misbehave({ path: /^\/token/, times: Infinity }, answers(307, { location: `${made.attacker.origin}/token` }));
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('URL_REFUSED');
    expect(made.attacker.requests).toEqual([]);
  });
});

describe('oras-go CVE-2026-85732 (GHSA-h7vf-4x9w-h99v): a pagination Link to another host gets no credentials', () => {
  test.each(['tags', 'referrers'])('of %s', async (what) => {
    const made = await scene();
    const link = `<${made.attacker.origin}/v2/${NAME}/${what}/list?n=1>; rel="next"`;
    made.server.misbehave({ path: new RegExp(`/${what}/`), times: Infinity }, async (_call, proceed) => {
      const reply = await proceed();
      return reply.status === 401 ? reply : { ...reply, headers: { ...reply.headers, link } };
    });
    const listing = (async () => {
      if (what === 'referrers') return made.repository.referrers(manifest.descriptor);
      const found: string[] = [];
      for await (const tag of made.repository.tags()) found.push(tag);
      return found;
    })();
    expect((await rejected(listing)).code).toBe('URL_REFUSED');
    expect(made.attacker.requests).toEqual([]);
  });
});

describe('distribution CVE-2026-33540 (GHSA-3p65-76g6-3w7r): credentials of an origin do not go to its mirror', () => {
  test.each(['basic', 'bearer'] as const)('which gets its own or none (%s)', async (kind) => {
    const mirror = await startServer({ auth: { kind, anonymous: true } });
    mirror.memory.putBlob(`cache/${NAME}`, blob.bytes);
    const asked: string[] = [];
    const find = async (host: string) => {
      asked.push(host);
      return host === 'registry.example' ? alice.find() : undefined;
    };
    const { Registry } = await import('../../src/registry/registry.ts');
    const registry = new Registry('registry.example', { mirror: `${mirror.origin}/cache`, credentials: { find }, retries: 0 });
    onTestFinished(() => registry.close());
    await download(registry.repository(NAME), blob.descriptor).catch(() => undefined);
    expect(mirror.requests.length).toBeGreaterThan(0);
    expect(asked).not.toContain('registry.example');
    for (const request of mirror.requests) {
      expect(JSON.stringify(request)).not.toContain('s3cret');
      expect(header(request, 'authorization') ?? '').not.toMatch(/^Basic/);
    }
  });
});

describe('malcontent GHSA-9m43-p3cx-w8j5: a realm does not choose whose credentials are used', () => {
  test('a registry that names the token service of another gets what is meant for itself', async () => {
    const victim = await startServer({ auth: { kind: 'bearer' } });
    const hostile = await startServer();
    hostile.misbehave({ path: /^\/v2\//, times: Infinity }, answers(401, { 'www-authenticate': `Bearer realm="${victim.origin}/token",service="victim",scope="repository:secret:pull,push"` }));
    const asked: string[] = [];
    const find = async (host: string) => {
      asked.push(host);
      return host === victim.host ? alice.find() : undefined;
    };
    const { repository } = connect(hostile, { credentials: { find }, retries: 0 });
    await rejected(download(repository, blob.descriptor));
    expect(asked).not.toContain(victim.host);
    expectNoSecrets(victim);
    expectNoSecrets(hostile);
  });
});

describe('containers/image CVE-2024-3727 (GHSA-6wvf-f2vw-3425): a digest is checked before it becomes a path', () => {
  const wrong = ['sha256:../../../etc/passwd', 'sha256:', '../..', `sha256:${'A'.repeat(64)}`, `sha512:${'a'.repeat(128)}`, `sha256:${'a'.repeat(64)}/../x`, `sha256:${'a'.repeat(63)}\n`];

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
    made.server.misbehave({ path: /\/manifests\//, times: Infinity }, () => ({ status: 200, headers: { 'content-type': OCI_MANIFEST }, body: endless() }));
    expect((await rejected(made.repository.resolve('v1'))).code).toMatch(/^(MANIFEST_INVALID|REGISTRY_PROTOCOL)$/);
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
    ['served as something else', 'text/html', {}],
  ])('%s', async (_, served, more) => {
    const made = await scene();
    const hostile = sampleManifest(more);
    made.server.memory.putManifest(NAME, { mediaType: served, bytes: hostile.bytes }, 'confused');
    const reading = made.repository.resolve('confused').then((descriptor) => readManifest(made.repository, descriptor));
    expect((await rejected(reading)).code).toMatch(/^(MANIFEST_INVALID|REGISTRY_PROTOCOL)$/);
  });
});

describe('regclient CVE-2025-24882 (GHSA-qv35-3gw6-8q4j): a pinned digest is checked', () => {
  const other = sampleManifest({ annotations: { by: 'attacker' } });

  test('when it is resolved', async () => {
    const made = await scene();
    made.server.misbehave({ path: /\/manifests\/sha256:/, times: Infinity }, async (_call, proceed) => {
      const reply = await proceed();
      return reply.status === 401 ? reply : { status: 200, headers: { 'content-type': OCI_MANIFEST, 'docker-content-digest': other.descriptor.digest }, body: other.bytes };
    });
    expect((await rejected(made.repository.resolve(manifest.descriptor.digest))).code).toBe('DIGEST_MISMATCH');
  });

  test.each(['the right', 'no', "the attacker's"])('when it is read, with %s digest in the header', async (which) => {
    const made = await scene();
    const digest = { 'the right': manifest.descriptor.digest, no: undefined, "the attacker's": other.descriptor.digest }[which];
    made.server.misbehave({ method: 'GET', path: /\/manifests\//, times: Infinity }, async (call, proceed) => {
      const reply = await proceed();
      return reply.status === 401 ? reply : changesHeaders({ 'docker-content-digest': digest })(call, async () => ({ ...reply, body: other.bytes, headers: { ...reply.headers } }));
    });
    const reading = made.repository.resolve(manifest.descriptor.digest).then((descriptor) => readManifest(made.repository, descriptor));
    expect((await rejected(reading)).code).toBe('DIGEST_MISMATCH');
  });

  test('of a blob, to its last byte', async () => {
    const made = await scene();
    const wrong = Buffer.from(blob.bytes);
    wrong[wrong.length - 1]! ^= 1;
    made.server.misbehave({ method: 'GET', path: /\/blobs\//, times: Infinity }, answers(200, { 'docker-content-digest': blob.descriptor.digest }, wrong));
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('DIGEST_MISMATCH');
  });
});

describe('sigstore-go GHSA-cq38-jh5f-37mq: data without end', () => {
  const forever = (headers: Record<string, string> = {}, status = 200) => () => ({ status, headers, body: endless() });

  test.each([
    ['an error', /\/blobs\//, forever({}, 404), (made: Bench) => download(made.repository, blob.descriptor)],
    ['a token', /^\/token/, forever(), (made: Bench) => download(made.repository, blob.descriptor)],
    ['referrers', /\/referrers\//, forever({ 'content-type': OCI_INDEX }), (made: Bench) => made.repository.referrers(manifest.descriptor)],
    ['tags', /\/tags\//, forever({ 'content-type': 'application/json' }), (made: Bench) => made.repository.tags()[Symbol.asyncIterator]().next()],
    ['a small blob', /\/blobs\//, forever(), (made: Bench) => readBlob(made.repository, sample(sampleBytes(100)).descriptor)],
    ['a redirect', /\/blobs\//, forever({ location: '/v2/' }, 307), (made: Bench) => download(made.repository, blob.descriptor)],
    ['an answer to ping', /^\/v2\/$/, forever(), (made: Bench) => made.registry.ping()],
  ] as const)('%s', async (_, path, fault, act) => {
    const made = await scene({ retries: 0 }, 'bearer');
    made.server.misbehave({ path, times: Infinity }, fault);
    await Promise.resolve(act(made)).catch((error: unknown) => expect(error).toMatchObject({ name: 'AirgapError' }));
    for (const { sent } of made.server.requests) expect(sent).toBeLessThan(16 * MEBIBYTE);
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

describe('where a registry may send us (server-side request forgery)', () => {
  const sender = (origin: string, plainHttp = false): Sender => ({ origin: new URL(origin), plainHttp });
  const hub = sender('https://registry.example');
  const here = new URL('https://registry.example/v2/x/blobs/y');
  const inside = [
    '127.0.0.1', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', 'localhost', 'LOCALHOST', 'localhost.', 'x.localhost', '0.0.0.0', '0', '[::1]', '[::]',
    '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '169.254.169.254',
    '[fe80::1]', '[fd00:ec2::254]', '[fc00::1]', '[::ffff:169.254.169.254]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[ff02::1]', '224.0.0.1', '255.255.255.255',
  ];

  test.each(inside)('a public registry does not send us to %s', (host) => {
    const url = `https://${host}/x`;
    expect(thrown(() => checkRedirect(url, here, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkRealm(url, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkForeignLayerUrl(url, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkUploadLocation(url, here, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkNextPage(url, here, hub)).code).toBe('URL_REFUSED');
  });

  test.each(['https://cdn.example/x', 'https://8.8.8.8/x', 'https://172.32.0.1/x', 'https://[2606:4700::1]/x', 'https://notlocalhost/x', 'https://127.0.0.1.example/x'])(
    'but to %s',
    (url) => {
      expect(checkRedirect(url, here, hub).href).toBe(url);
      expect(checkRealm(url, hub).href).toBe(url);
      expect(checkForeignLayerUrl(url, hub).href).toBe(url);
    },
  );

  test('a registry on a private network may, but not to this machine or to the metadata service', () => {
    const internal = sender('https://10.1.2.3:5000');
    const from = new URL('https://10.1.2.3:5000/v2/');
    expect(checkRedirect('https://10.9.9.9/x', from, internal).host).toBe('10.9.9.9');
    for (const host of ['127.0.0.1', 'localhost', '169.254.169.254', '[fe80::1]']) {
      expect(thrown(() => checkRedirect(`https://${host}/x`, from, internal)).code).toBe('URL_REFUSED');
    }
  });

  test('from https never to http', () => {
    for (const url of ['http://registry.example/x', 'http://cdn.example/x']) {
      expect(thrown(() => checkRedirect(url, here, hub)).code).toBe('URL_REFUSED');
      expect(thrown(() => checkRedirect(url, here, sender('https://registry.example', true))).code).toBe('URL_REFUSED');
      expect(thrown(() => checkRealm(url, hub)).code).toBe('URL_REFUSED');
      expect(thrown(() => checkForeignLayerUrl(url, hub)).code).toBe('URL_REFUSED');
    }
  });

  test('a redirect that came over https does not go on in http, even where the registry is spoken to in http', () => {
    const plain = sender('http://registry.internal', true);
    expect(checkRedirect('http://cdn.internal/x', new URL('http://registry.internal/v2/'), plain).host).toBe('cdn.internal');
    expect(thrown(() => checkRedirect('http://cdn.internal/x', new URL('https://hop.example/'), plain)).code).toBe('URL_REFUSED');
  });

  test('an upload goes on with https when a proxy wrote http for the same host', () => {
    expect(checkUploadLocation('http://registry.example/v2/x/blobs/uploads/1?a=b', here, hub).href).toBe('https://registry.example/v2/x/blobs/uploads/1?a=b');
    const port = sender('https://registry.example:5000');
    const at = new URL('https://registry.example:5000/v2/');
    expect(checkUploadLocation('http://registry.example:5000/u', at, port).href).toBe('https://registry.example:5000/u');
    expect(thrown(() => checkUploadLocation('http://registry.example:6000/u', at, port)).code).toBe('URL_REFUSED');
  });

  test.each([
    'https://registry.example.evil.example/x', 'https://evil.example/registry.example', '//evil.example/x', '\\\\evil.example\\x', 'https:\\\\evil.example', '/\\evil.example/x',
    'https://registry.example@evil.example/x', 'https://registry.example:444/x', 'https://xregistry.example/x', 'ftp://registry.example/x', 'javascript:alert(1)', 'https://u:p@registry.example/x',
  ])('%s is not our own origin', (url) => {
    expect(thrown(() => checkUploadLocation(url, here, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkNextPage(url, here, hub)).code).toBe('URL_REFUSED');
  });

  test('a message shows neither query nor user of a refused URL', () => {
    for (const url of ['http://cdn.example/x?X-Amz-Signature=hunter2', 'https://u:hunter2@cdn.example/x', 'ftp://cdn.example/x#hunter2']) {
      const error = thrown(() => checkRedirect(url, here, hub));
      expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('hunter2');
    }
  });
});
