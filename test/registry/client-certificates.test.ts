// Certificates by host, in Docker's layout: a server that wants a client certificate, for real, and hosts that must not see it.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { certificateSource } from '../../src/registry/certs-dir.ts';
import { Registry, type RegistryOptions } from '../../src/registry/registry.ts';
import { answers } from '../support/faults.ts';
import type { FaultyRegistry } from '../support/faulty-registry.ts';
import { alice, download, FakeClock, NAME, sample, startServer } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';
import { haveTools } from '../support/tools.ts';
import { key as otherKey } from '../support/tls-fixture.ts';
import {
  clientCertificate,
  clientKey,
  upstreamAuthority,
  upstreamCertificate,
  upstreamKey,
} from '../support/upstream-tls-fixture.ts';

const tls = { cert: upstreamCertificate, key: upstreamKey, ca: upstreamAuthority, requestCert: true };
const blob = sample();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certs.d-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});

async function put(files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

function open(host: string, options: RegistryOptions = {}): Registry {
  const certificates = certificateSource([join(folder, 'absent'), folder]);
  const registry = new Registry(host, { credentials: alice, clock: new FakeClock(), certificates, ...options });
  onTestFinished(() => registry.close());
  return registry;
}

async function lineThat(stream: Readable, matches: RegExp): Promise<RegExpExecArray> {
  for await (const line of createInterface(stream)) {
    const match = matches.exec(line);
    if (match) return match;
  }
  throw new Error(`no line ${matches}`);
}

const strict = (): Promise<FaultyRegistry> => startServer({ tls: { ...tls, rejectUnauthorized: true } });
const pair = (host: string) => ({ [`${host}/client.cert`]: clientCertificate, [`${host}/client.key`]: clientKey });

describe('a registry that wants a client certificate', () => {
  test('gets that of its folder, and is trusted by the authority there', async () => {
    const server = await strict();
    await put({ ...pair(server.host), [`${server.host}/ca.crt`]: upstreamAuthority });
    await open(server.host).ping();
  });

  test('gets it beside the authorities that hold for all', async () => {
    const server = await strict();
    await put(pair(server.host));
    await open(server.host, { ca: upstreamAuthority }).ping();
  });

  test('and there is none: one error that says where to put it', async () => {
    const server = await startServer({ tls: { ...tls, rejectUnauthorized: false } });
    server.misbehave({ times: Infinity }, answers(400, {}, Buffer.from('No required SSL certificate was sent'))); // nginx
    const error = await rejected(open(server.host, { ca: upstreamAuthority }).ping());
    expect(error.message).toContain('400 No required SSL certificate was sent');
    expect(error.hint).toContain('--certs-dir');
  });

  test.skipIf(!haveTools('the alert of a TLS server that wants a certificate', 'openssl'))(
    'and says so by an alert',
    async () => {
      for (const [name, text] of Object.entries({ cert: upstreamCertificate, key: upstreamKey, ca: upstreamAuthority }))
        await writeFile(join(folder, name), text);
      const files = ['-cert', 'cert', '-key', 'key', '-CAfile', 'ca'];
      const server = spawn(
        'openssl',
        ['s_server', '-accept', '127.0.0.1:0', '-tls1_2', '-Verify', '1', '-www', ...files],
        {
          cwd: folder,
          stdio: ['pipe', 'pipe', 'ignore'],
        },
      );
      onTestFinished(() => void server.kill());
      const [, port] = await lineThat(server.stdout, /^ACCEPT .*:([0-9]+)$/);
      const error = await rejected(open(`127.0.0.1:${port}`, { ca: upstreamAuthority, retries: 0 }).ping());
      expect(error.code).toBe('TLS_FAILED');
      expect(error.message).toContain('may want a client certificate');
      expect(error.hint).toContain('--certs-dir');
    },
  );

  test('that of another host is not shown, a redirect to it included', async () => {
    const other = await startServer({ address: '127.0.0.2', tls: { ...tls, rejectUnauthorized: false } });
    other.memory.putBlob(NAME, blob.bytes);
    const server = await strict();
    server.misbehave({ path: /\/blobs\// }, (call) => ({
      status: 307,
      headers: { location: `https://${other.host}${call.url.pathname}` },
    }));
    await put(pair(server.host));
    const options = { ca: upstreamAuthority, insecureSkipTlsVerify: true };
    expect(await download(open(server.host, options).repository(NAME), blob.descriptor)).toEqual(blob.bytes);
    expect(other.shown).toEqual([undefined]);
    expect(server.shown[0]).toContain('CN=alice');
  });
});

describe('a folder of certificates', () => {
  test('trusts an authority for its host alone', async () => {
    const options = { tls: { ...tls, requestCert: false } };
    const [one, two] = [await startServer(options), await startServer(options)];
    await put({ [`${one.host}/ca.crt`]: upstreamAuthority });
    await open(one.host).ping();
    expect((await rejected(open(two.host).ping())).code).toBe('TLS_FAILED');
  });

  test.each([
    ['a certificate without its key', { 'client.cert': clientCertificate }, 'client.key is missing'],
    ['a key without its certificate', { 'client.key': clientKey }, 'client.cert is missing'],
    ['a key of another', { 'client.cert': clientCertificate, 'client.key': otherKey }, 'client.cert with its key'],
    ['an authority that is none', { 'ca.crt': 'nonsense' }, 'ca.crt cannot be used'],
  ])('with %s is refused, naming the file', async (_what, files, message) => {
    const server = await strict();
    await put(Object.fromEntries(Object.entries(files).map(([name, text]) => [`${server.host}/${name}`, text])));
    const error = await rejected(open(server.host, { ca: upstreamAuthority }).ping());
    expect(error.code).toBe('TLS_FAILED');
    expect(error.message).toContain(message);
    expect(server.requests).toEqual([]);
  });

  test.each([
    ['https://registry.example/v2/', 'registry.example'],
    ['https://registry.example/v2/', 'registry.example:443'],
    ['https://registry.example:5000/v2/', 'registry.example:5000'],
  ])('for %s is %s', async (url, name) => {
    await put({ [`${name}/ca.crt`]: 'x' });
    expect((await certificateSource([folder])(new URL(url)))?.ca).toHaveLength(1);
  });

  test.each(['https://registry.example:5000', 'http://registry.example', 'https://my.registry.example'])(
    'for registry.example is not for %s',
    async (url) => {
      await put({ 'registry.example/ca.crt': 'x' });
      expect(await certificateSource([folder])(new URL(url))).toBeUndefined();
    },
  );
});
