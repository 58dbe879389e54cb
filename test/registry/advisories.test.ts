// Known vulnerabilities of registry clients, each as a test of ours. The scene: a registry that is hostile, or hijacked, or
// answered for by somebody on the way, and a second server that must learn nothing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { DOCKER_FOREIGN_LAYER, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { credentialSource } from '../../src/registry/credentials.ts';
import { Registry, type RegistryOptions } from '../../src/registry/registry.ts';
import { answers, answersError, changes } from '../support/faults.ts';
import type { FaultyRegistry } from '../support/faulty-registry.ts';
import { header } from '../support/memory-registry.ts';
import {
  alice,
  bench,
  connect,
  download,
  NAME,
  sample,
  sampleManifest,
  startServer,
  type Bench,
} from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

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

  test.each(['basic', 'bearer'] as const)(
    'not those of the registry, whatever the other server asks for (%s)',
    async (kind) => {
      const made = await scene({}, kind);
      made.attacker.misbehave(
        { times: Infinity },
        answers(401, { 'www-authenticate': `Bearer realm="${made.attacker.origin}/token",service="x"` }),
      );
      const error = await rejected(download(made.repository, foreign(`${made.attacker.origin}/layer`)));
      expect(error.code).toMatch(/^REGISTRY_/);
      expect(made.attacker.requests.length).toBeGreaterThan(0);
      expectNoSecrets(made.attacker);
      expect(made.attacker.asked('GET', /token/)).toEqual([]);
    },
  );

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
    const asked = made.server.asked('GET', /internal/);
    expect(asked.map((request) => header(request, 'authorization'))).toEqual([undefined]);
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

  test.each([
    'file:///etc/passwd',
    'http://alice:pw@127.0.0.1/x',
    'gopher://x',
    'http://169.254.169.254/latest/meta-data',
    'http://example.com/layer',
    '/etc/passwd',
    '',
  ])('%s is refused', async (url) => {
    const made = await scene();
    const layer = { ...blob.descriptor, mediaType: DOCKER_FOREIGN_LAYER, urls: [url] };
    expect((await rejected(download(made.repository, layer))).code).toBe('URL_REFUSED');
  });
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
    made.server.misbehave(
      { path: /\/blobs\//, times: Infinity },
      answers(307, { location: `${made.attacker.origin}/x` }),
    );
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('REGISTRY_UNAUTHORIZED');
    expect(made.attacker.requests.length).toBeGreaterThan(0);
    expectNoSecrets(made.attacker);
  });

  test('nor does it choose where a token is fetched', async () => {
    const made = await scene();
    const challenge = `Bearer realm="${made.attacker.origin}/token",service="x"`;
    made.attacker.misbehave({ times: Infinity }, answers(401, { 'www-authenticate': challenge }));
    made.server.misbehave(
      { path: /\/blobs\//, times: Infinity },
      answers(307, { location: `${made.attacker.origin}/x` }),
    );
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('REGISTRY_UNAUTHORIZED');
    expect(made.attacker.asked('GET', /^\/x/)).toHaveLength(1);
    expect(made.attacker.asked('GET', /token/)).toEqual([]);
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
      return reply.status === 401
        ? reply
        : { ...reply, headers: { ...reply.headers, location: `${made.attacker.origin}/v2/${NAME}/blobs/uploads/1` } };
    });
    const error = await rejected(made.repository.push(blob.descriptor, blob.content));
    expect(error.code).toBe('URL_REFUSED');
    expect(error.hint).toBeTruthy();
    expect(made.attacker.requests).toEqual([]);
    expect(made.server.memory.repository(NAME).blobs.size).toBe(0);
  });

  test.each([
    '//127.0.0.2/x',
    'http:\\\\127.0.0.2\\x',
    'https://127.0.0.1@127.0.0.2/x',
    'http://127.0.0.1:1/x',
    'http://127.1:1/x',
    'file:///x',
  ])('%s', async (location) => {
    const made = await scene();
    made.server.misbehave(
      { method: 'POST', times: Infinity },
      changes((reply) => (reply.status === 401 ? reply : { ...reply, headers: { location } })),
    );
    expect((await rejected(made.repository.push(blob.descriptor, blob.content))).code).toBe('URL_REFUSED');
  });
});

describe('oras-go GHSA-xf85-363p-868w: a bearer realm', () => {
  test.each([
    'http://example.com/token',
    'http://169.254.169.254/token',
    'http://10.0.0.1/token',
    'file:///x',
    'http://alice:pw@127.0.0.1/token',
    'nonsense',
    '',
  ])('%s gets no credentials of a registry', async (realm) => {
    const made = await scene();
    made.server.misbehave(
      { path: /^\/v2\//, times: Infinity },
      answers(401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` }),
    );
    const error = await rejected(download(made.repository, blob.descriptor));
    expect(error.code).toBe('URL_REFUSED');
    expect(error.message).not.toContain('s3cret');
  });

  test('is not followed when it redirects', async () => {
    const made = await scene({}, 'bearer');
    made.server.misbehave(
      { path: /^\/token/, times: Infinity },
      answers(307, { location: `${made.attacker.origin}/token` }),
    );
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
    const registry = new Registry('registry.example', {
      mirror: `${mirror.origin}/cache`,
      credentials: { find },
      retries: 0,
    });
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
    hostile.misbehave(
      { path: /^\/v2\//, times: Infinity },
      answers(401, {
        'www-authenticate': `Bearer realm="${victim.origin}/token",service="victim",scope="repository:secret:pull,push"`,
      }),
    );
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
