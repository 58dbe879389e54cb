// Where images really come from, as a user meets it: mirrors and sources, credentials by host, proxies, client certificates.
import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Lock } from '../../src/bundle/lock.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { CliResult } from '../support/cli.ts';
import { credentialHome, entry } from '../support/credential-home.ts';
import type { FaultyRegistry, FaultyRegistryOptions } from '../support/faulty-registry.ts';
import { elasticChartNames } from '../support/elastic-upstream.ts';
import { journey, type Journey } from '../support/journey.ts';
import { header } from '../support/memory-registry.ts';
import { startProxy, type TestProxy, type TestProxyOptions } from '../support/proxy.ts';
import { pushGraph, randomImage, randomIndex, type Graph } from '../support/random-image.ts';
import { startServer } from '../support/registry-bench.ts';
import {
  clientCertificate,
  clientKey,
  upstreamAuthority,
  upstreamCertificate,
  upstreamKey,
} from '../support/upstream-tls-fixture.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const AGENT = 'docker.elastic.co/elastic-agent/elastic-agent:9.5.2';
const OPERATOR = 'docker.elastic.co/eck/eck-operator:3.5.0';
const PACKAGES = 'docker.elastic.co/package-registry/distribution:lite-9.5.2';
const IRON_BANK = { 'docker.elastic.co': { registry: 'registry1.dso.mil', layout: 'iron-bank' } };
const ELASTIC = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana', 'elastic-agent'], monitoring: false };
const CHARTS = elasticChartNames(ELASTIC.eck);
const NAMES = { [OPERATOR]: 'eck-operator/eck-operator', [AGENT]: 'beats/elastic-agent', [KIBANA]: 'kibana/kibana' };
const TLS = { cert: upstreamCertificate, key: upstreamKey, ca: upstreamAuthority };

let site: Journey;
beforeEach(async () => {
  site = await journey({ images: {} });
});
afterEach(() => site.end());

/** A registry that has these: repository:tag to image. */
async function registry(images: Record<string, Graph>, options: FaultyRegistryOptions = {}): Promise<FaultyRegistry> {
  const server = await startServer(options);
  const { auth } = server;
  const client = new Registry(server.host, {
    ca: upstreamAuthority,
    certificates: async () => ({
      ca: [],
      client: [{ cert: clientCertificate, key: clientKey, where: 'test' }],
    }),
    ...(auth ? { credentials: { find: async () => ({ kind: 'basic', ...account(options) }) } } : {}),
  });
  for (const [name, graph] of Object.entries(images)) {
    const [repository = '', tag] = name.split(':');
    await pushGraph(client.repository(repository), graph, tag);
  }
  await client.close();
  server.requests.length = 0;
  server.shown.length = 0;
  return server;
}

const account = ({ auth }: FaultyRegistryOptions) => ({
  username: auth?.username ?? 'alice',
  password: auth?.password ?? 's3cret',
});
const asking = (username: string): FaultyRegistryOptions => ({ auth: { kind: 'basic', username } });
const basic = (username: string) => `Basic ${Buffer.from(`${username}:s3cret`).toString('base64')}`;
const sent = (server: FaultyRegistry) => [
  ...new Set(server.requests.map((request) => header(request, 'authorization') ?? 'none')),
];

function ironBank(options: FaultyRegistryOptions = {}): Promise<FaultyRegistry> {
  const images = Object.entries(NAMES).map(([name, path]) => [
    `ironbank/elastic/${path}:${name === OPERATOR ? '3.5.0' : '9.5.2'}`,
    randomImage(`hardened ${name}`),
  ]);
  return registry(Object.fromEntries(images) as Record<string, Graph>, options);
}

async function put(path: string, content: unknown): Promise<void> {
  await mkdir(dirname(site.path(path)), { recursive: true });
  await writeFile(site.path(path), typeof content === 'string' ? content : JSON.stringify(content));
}

const logins = (auths: Record<string, string>) =>
  put('.docker/config.json', {
    auths: Object.fromEntries(Object.entries(auths).map(([host, name]) => [host, entry(name, 's3cret')])),
  });

async function locked(...flags: string[]): Promise<Lock> {
  expectDone(await site.run('lock', 'airgap.yaml', ...flags));
  return site.readLock();
}

function expectDone(result: CliResult): void {
  expect(result.stderr).not.toContain('Error');
  expect(result.status).toBe(0);
}

const build = () => site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media');

describe('Iron Bank', () => {
  test('its images are carried under the names that ECK expects, and the lock says where they are from', async () => {
    const bank = await ironBank();
    const mirrors = { 'registry1.dso.mil': bank.origin };
    await site.writeSpec({ elastic: ELASTIC, images: [], sources: IRON_BANK, mirrors });
    expect((await locked()).images.map(({ name, from }) => [name, from])).toEqual([
      [OPERATOR, 'registry1.dso.mil/ironbank/elastic/eck-operator/eck-operator:3.5.0'],
      [AGENT, 'registry1.dso.mil/ironbank/elastic/beats/elastic-agent:9.5.2'],
      [KIBANA, 'registry1.dso.mil/ironbank/elastic/kibana/kibana:9.5.2'],
      ...CHARTS.map((name) => [name, undefined]),
    ]);
    expectDone(await build());
    const target = `${site.enclave.host}/elastic`;
    const loaded = await site.run('load', 'media', '--key', 'airgap.pub', '--registry', target);
    expectDone(loaded);
    for (const name of [OPERATOR, AGENT, KIBANA])
      expect(loaded.stdout).toContain(name.replace('docker.elastic.co', target));
  });

  test('the bill of materials and the provenance say where the content is from', async () => {
    const bank = await ironBank();
    const mirrors = { 'registry1.dso.mil': bank.origin };
    await site.writeSpec({ elastic: ELASTIC, images: [], sources: IRON_BANK, mirrors });
    expectDone(await build());
    const from = 'registry1.dso.mil%2Fironbank%2Felastic%2Fkibana%2Fkibana';
    for (const file of ['sbom.cdx.json', 'provenance.intoto.json']) {
      expectDone(await site.run('export', 'media', file, '--key', 'airgap.pub', '--out', file));
      const text = (await site.read(file)).toString();
      expect(text).toContain(`repository_url=${from}&tag=9.5.2`);
      expect(text).toContain('registry1.dso.mil/ironbank/elastic/kibana/kibana:9.5.2');
      expect(text).not.toContain('repository_url=docker.elastic.co');
      expect(text).not.toContain(bank.host);
    }
  });

  test('what it does not have there is exit 4, with what to write, and no lock', async () => {
    const bank = await ironBank();
    bank.memory.repository('ironbank/elastic/kibana/kibana').tags.clear();
    const mirrors = { 'registry1.dso.mil': bank.origin };
    await site.writeSpec({ elastic: ELASTIC, images: [], sources: IRON_BANK, mirrors });
    const result = await site.run('lock', 'airgap.yaml');
    expect(result.status).toBe(4);
    expect(result.stderr).toContain(`${KIBANA} from registry1.dso.mil/ironbank/elastic/kibana/kibana:9.5.2: `);
    expect(result.stderr).toContain('[CONTENT_MISSING]');
    expect(result.stderr).toContain('"docker.elastic.co/kibana/kibana": { registry: docker.elastic.co }');
    await expect(access(site.path('airgap.lock.yaml'))).rejects.toThrow();
  });

  test('what it has none of is refused before anything is asked', async () => {
    const bank = await ironBank();
    const elastic = { ...ELASTIC, components: ['kibana', 'package-registry'] };
    const mirrors = { 'registry1.dso.mil': bank.origin };
    await site.writeSpec({ elastic, images: [], sources: IRON_BANK, mirrors });
    const result = await site.run('lock', 'airgap.yaml');
    expect([result.status, bank.requests]).toEqual([4, []]);
    expect(result.stderr).toContain(`Iron Bank has no build of ${PACKAGES}`);
  });

  test('another source makes the lock stale, another mirror does not', async () => {
    const [bank, copy] = [await ironBank(), await ironBank()];
    const spec = { elastic: ELASTIC, images: [], sources: IRON_BANK };
    await site.writeSpec({ ...spec, mirrors: { 'registry1.dso.mil': bank.origin } });
    const before = await locked();
    await site.writeSpec({ ...spec, mirrors: { 'registry1.dso.mil': copy.origin } });
    expectDone(await build());
    expect(await locked()).toEqual(before);
    await site.writeSpec({ ...spec, sources: {}, mirrors: { 'docker.elastic.co': copy.origin } });
    expect((await build()).stderr).toContain('[LOCK_STALE]');
  });
});

describe('a mirror', () => {
  const graph = randomIndex('kibana');

  test('may have a path, as the proxy-cache of Harbor; the lock knows nothing of it', async () => {
    const harbor = await registry({ 'elastic-proxy/kibana/kibana:9.5.2': graph });
    const plain = await registry({ 'kibana/kibana:9.5.2': graph });
    const at = (url: string) => site.writeSpec({ images: [KIBANA], mirrors: { 'docker.elastic.co': url } });
    await at(`${harbor.origin}/elastic-proxy`);
    const lock = await locked();
    expect(lock.images[0]?.from).toBeUndefined();
    expect(harbor.requests.every(({ path }) => /^\/v2\/(?:elastic-proxy\/kibana\/kibana\/|$)/.test(path))).toBe(true);
    await at(plain.origin);
    expect(await locked()).toEqual(lock);
    expectDone(await build());
  });

  test('gets its own credentials and no other, and where it redirects to gets none', async () => {
    const elsewhere = await registry({ 'kibana/kibana:9.5.2': graph }, { address: '127.0.0.2' });
    const mirror = await registry({ 'kibana/kibana:9.5.2': graph }, asking('mirror'));
    mirror.misbehave({ path: /\/blobs\//, times: Infinity }, async (call, proceed) => {
      const reply = await proceed();
      if (reply.status === 401) return reply;
      return { status: 307, headers: { location: `${elsewhere.origin}${call.url.pathname}` } };
    });
    await logins({ 'docker.elastic.co': 'origin', [mirror.host]: 'mirror', [elsewhere.host]: 'elsewhere' });
    await site.writeSpec({ images: [KIBANA], mirrors: { 'docker.elastic.co': mirror.origin } });
    expectDone(await build());
    expect(sent(mirror).sort()).toEqual([basic('mirror'), 'none']);
    expect(sent(elsewhere)).toEqual(['none']);
  });

  test('without credentials of its own does not get those of its origin', async () => {
    const mirror = await registry({ 'kibana/kibana:9.5.2': graph }, asking('origin'));
    await logins({ 'docker.elastic.co': 'origin' });
    await site.writeSpec({ images: [KIBANA], mirrors: { 'docker.elastic.co': mirror.origin } });
    const result = await site.run('lock', 'airgap.yaml');
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(`${mirror.host} wants credentials, and there are none for it`);
    expect(sent(mirror)).toEqual(['none']);
  });

  test('has its credential helper asked, for its own host alone', async () => {
    const mirror = await registry({ 'kibana/kibana:9.5.2': graph }, asking('mirror'));
    const home = await credentialHome();
    const answer = JSON.stringify({ Username: 'mirror', Secret: 's3cret' });
    const calls = await home.helper('test', `console.log(${JSON.stringify(answer)});`);
    await put('.docker/config.json', { credsStore: 'test' });
    await site.writeSpec({ images: [KIBANA], mirrors: { 'docker.elastic.co': mirror.origin } });
    const env = { PATH: home.env['PATH'] ?? '', XDG_CACHE_HOME: site.path('.cache') };
    expectDone(await site.runWith({ env }, 'lock', 'airgap.yaml'));
    expect(new Set(await calls())).toEqual(new Set([`get ${mirror.host}`]));
  });

  test('whose credential helper fails is one error that names the helper', async () => {
    const mirror = await registry({ 'kibana/kibana:9.5.2': graph }, asking('mirror'));
    await put('.docker/config.json', { credHelpers: { [mirror.host]: 'absent' } });
    await site.writeSpec({ images: [KIBANA], mirrors: { 'docker.elastic.co': mirror.origin } });
    const result = await site.run('lock', 'airgap.yaml');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('docker-credential-absent');
  });
});

describe('behind a proxy', () => {
  const tls = { tls: TLS };
  let proxy: TestProxy;

  async function through(options: TestProxyOptions, ...argv: string[]): Promise<CliResult> {
    proxy = await startProxy({ authorization: `Basic ${Buffer.from('me:hunter2').toString('base64')}`, ...options });
    onTestFinished(() => proxy.close());
    await put('ca.pem', upstreamAuthority);
    const env = { HTTPS_PROXY: `http://me:hunter2@${proxy.host}`, SSL_CERT_FILE: 'ca.pem' };
    return site.runWith({ env: { ...env, XDG_CACHE_HOME: site.path('.cache') } }, ...argv);
  }

  test('each host gets its own credentials, from lock to load', async () => {
    const bank = await ironBank({ ...tls, ...asking('bank') });
    const elastic = await registry({ 'package-registry/distribution:lite-9.5.2': randomIndex('packages') }, tls);
    const inside = await registry({}, { ...tls, ...asking('inside') });
    const hosts = {
      'registry1.dso.mil:443': bank.port,
      'docker.elastic.co:443': elastic.port,
      'registry.example:443': inside.port,
    };
    await logins({ 'registry1.dso.mil': 'bank', 'docker.elastic.co': 'nobody', 'registry.example': 'inside' });
    const sources = { ...IRON_BANK, 'docker.elastic.co/package-registry': { registry: 'docker.elastic.co' } };
    const components = [...ELASTIC.components, 'package-registry'];
    await site.writeSpec({ elastic: { ...ELASTIC, components }, images: [], mirrors: {}, sources });
    expectDone(await through({ hosts }, 'lock', 'airgap.yaml'));
    expectDone(await through({ hosts }, 'build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media'));
    expect((await site.readLock()).images.map(({ name, from }) => [name, from !== undefined])).toEqual([
      [OPERATOR, true],
      [AGENT, true],
      [KIBANA, true],
      [PACKAGES, false],
      ...CHARTS.map((name) => [name, false]),
    ]);
    const target = ['--registry', 'registry.example/elastic'];
    expectDone(await through({ hosts }, 'load', 'media', '--key', 'airgap.pub', ...target));
    expect(proxy.requests.map(({ target: asked }) => asked)).toContain('registry.example:443');
    expect(sent(bank).sort()).toEqual([basic('bank'), 'none']);
    expect(sent(elastic)).toEqual(['none']); // it never asked for any
    expect(sent(inside).sort()).toEqual([basic('inside'), 'none']);
    expect([...inside.memory.repository('elastic/elastic-agent/elastic-agent').tags.keys()]).toContain('9.5.2');
  });

  test('one that refuses us is one error without the password, and no lock', async () => {
    await site.writeSpec({ images: [KIBANA], mirrors: {} });
    const result = await through({ hosts: {}, authorization: 'Basic other' }, 'lock', 'airgap.yaml', '-v', '--json');
    expect(result.status).toBe(1);
    const { error } = JSON.parse(result.stdout) as { error: { code: string; message: string } };
    expect(error.code).toBe('PROXY_FAILED');
    expect(error.message).toContain(`the proxy ${proxy.host} (HTTPS_PROXY) refuses its user name or password (407)`);
    expect(result.stdout + result.stderr).not.toMatch(/hunter2|bWU6aHVudGVyMg/);
    await expect(access(site.path('airgap.lock.yaml'))).rejects.toThrow();
  });

  test('an address that is none is a mistake of configuration, not printed', async () => {
    const env = { HTTPS_PROXY: 'socks5://me:hunter2@proxy.example' };
    await site.writeSpec({ images: [KIBANA] });
    const result = await site.runWith({ env }, 'lock', 'airgap.yaml');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('HTTPS_PROXY is not the address of an HTTP proxy');
    expect(result.stderr).not.toContain('hunter2');
  });

  test('docker.elastic.co that refuses credentials: which file they are from, and that none are needed', async () => {
    const elastic = await registry({ 'kibana/kibana:9.5.2': randomIndex('kibana') }, { ...tls, ...asking('somebody') });
    await logins({ 'docker.elastic.co': 'nobody' });
    await site.writeSpec({ images: [KIBANA], mirrors: {} });
    const result = await through({ hosts: { 'docker.elastic.co:443': elastic.port } }, 'lock', 'airgap.yaml');
    expect(result.status).toBe(1);
    const file = site.path('.docker', 'config.json');
    expect(result.stderr).toContain(`docker.elastic.co refuses the credentials for it from ${file}`);
    expect(result.stderr).toContain('docker logout docker.elastic.co');
    expect(result.stderr).not.toContain('s3cret');
  });
});

describe('client certificates', () => {
  test('lie by host in the folder that --certs-dir names', async () => {
    const images = { 'kibana/kibana:9.5.2': randomIndex('kibana') };
    const server = await registry(images, { tls: { ...TLS, requestCert: true, rejectUnauthorized: true } });
    await put(`certs/${server.host}/ca.crt`, upstreamAuthority);
    await put(`certs/${server.host}/client.cert`, clientCertificate);
    await put(`certs/${server.host}/client.key`, clientKey);
    await site.writeSpec({ images: [KIBANA], mirrors: { 'docker.elastic.co': server.origin } });
    expect((await locked('--certs-dir', 'certs')).images).toHaveLength(1);
    expect(new Set(server.shown)).toEqual(new Set(['CN=alice']));
    const env = { ECK_AIRGAP_CERTS_DIR: 'certs', XDG_CACHE_HOME: site.path('.other-cache') };
    expectDone(await site.runWith({ env }, 'lock', 'airgap.yaml'));
  });

  test('a folder that is not there is said so', async () => {
    await site.writeSpec({ images: [KIBANA] });
    const result = await site.run('lock', 'airgap.yaml', '--certs-dir', 'absent');
    expect(result.stderr).toContain('[FILE_NOT_FOUND]');
  });
});
