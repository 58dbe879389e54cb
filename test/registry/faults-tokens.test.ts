// Tokens that end, are refused or are never given, and challenges that cannot be answered.
import { describe, expect, test } from 'vitest';
import { AirgapError } from '../../src/core/errors.ts';
import type { RegistryOptions } from '../../src/registry/registry.ts';
import { answers, answersError, answersHtml, endless } from '../support/faults.ts';
import type { Fault, FaultyRegistryOptions } from '../support/faulty-registry.ts';
import { header } from '../support/memory-registry.ts';
import { alice, bench, download, NAME, sample, sampleBytes, type Bench } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const blob = sample(sampleBytes(5000));

async function filled(server: FaultyRegistryOptions = {}, client: RegistryOptions = {}): Promise<Bench> {
  const made = await bench(server, client);
  made.server.memory.putBlob(NAME, blob.bytes);
  return made;
}

describe('tokens', () => {
  test('one that ended is renewed before it is refused', async () => {
    const made = await filled({ auth: { kind: 'bearer', expiresIn: 300 } });
    await download(made.repository, blob.descriptor);
    made.clock.pass(301_000);
    made.server.auth?.expireTokens();
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(made.server.auth?.issued).toBe(2);
    expect(made.server.requests.filter(({ status }) => status === 401)).toHaveLength(1);
  });

  test('one that is refused before its time is renewed once', async () => {
    const made = await filled({ auth: { kind: 'bearer', expiresIn: 300 } });
    await download(made.repository, blob.descriptor);
    made.server.auth?.expireTokens();
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(made.server.auth?.issued).toBe(2);
  });

  test('one that is never good enough is not asked for for ever', async () => {
    const made = await filled({ auth: { kind: 'bearer' } });
    made.server.misbehave({ path: /\/blobs\//, times: Infinity }, (call, proceed) => {
      call.registry.auth?.expireTokens();
      return proceed();
    });
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('REGISTRY_UNAUTHORIZED');
    expect(made.server.auth?.issued).toBeLessThanOrEqual(2);
    expect(made.clock.slept).toEqual([]);
  });

  test('an identity token is exchanged in a POST, and stays out of every URL', async () => {
    const credentials = { find: async () => ({ kind: 'identity-token' as const, token: 'refresh-me' }) };
    const made = await filled({ auth: { kind: 'bearer', refreshToken: 'refresh-me' } }, { credentials });
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(made.server.asked('POST', /^\/token/)).toHaveLength(1);
    expect(JSON.stringify(made.server.requests)).not.toContain('refresh-me');
  });

  test('a scope that only the registry knows is asked for as it says', async () => {
    const made = await filled({ auth: { kind: 'bearer' } });
    const challenge = `Bearer realm="${made.server.origin}/token",service="test",scope="repository:proxied/elsewhere:pull"`;
    made.server.misbehave({ path: /\/blobs\// }, answers(401, { 'www-authenticate': challenge }));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    const scopes = new URL(made.server.asked('GET', /^\/token/)[0]!.path, made.server.origin).searchParams.getAll(
      'scope',
    );
    expect(scopes.join(' ')).toContain('repository:proxied/elsewhere:pull');
    expect(scopes.join(' ')).toContain(`repository:${NAME}:pull`);
  });

  test('nobody gets a token where that is allowed', async () => {
    const made = await filled({ auth: { kind: 'bearer', anonymous: true } }, { credentials: undefined });
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(header(made.server.asked('GET', /^\/token/)[0]!, 'authorization')).toBeUndefined();
  });

  test.each([
    ['refuses', answersError(401, 'UNAUTHORIZED'), 'REGISTRY_UNAUTHORIZED'],
    ['denies', answersError(403, 'DENIED'), 'REGISTRY_UNAUTHORIZED'],
    ['is broken for ever', answersHtml(502), 'REGISTRY_ERROR'],
    ['limits for ever', answers(429), 'REGISTRY_RATE_LIMITED'],
    ['answers no token', answers(200, { 'content-type': 'application/json' }, Buffer.from('{}')), 'REGISTRY_PROTOCOL'],
    ['answers no JSON', answers(200, {}, Buffer.from('token')), 'REGISTRY_PROTOCOL'],
    [
      'answers a token that breaks a header',
      answers(200, {}, Buffer.from('{"token":"a\\r\\nx: y"}')),
      'REGISTRY_PROTOCOL',
    ],
    ['answers without end', () => ({ status: 200, body: endless() }), 'REGISTRY_PROTOCOL'],
    ['redirects', answers(302, { location: '/elsewhere' }), 'URL_REFUSED'],
  ] as [string, Fault, string][])('a token service that %s', async (_, fault, code) => {
    const made = await filled({ auth: { kind: 'bearer' } }, { retries: 2 });
    made.server.misbehave({ path: /^\/token/, times: Infinity }, fault);
    const error = await rejected(download(made.repository, blob.descriptor));
    expect(error.code).toBe(code);
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('s3cret');
  });

  test('a token service that is broken once', async () => {
    const made = await filled({ auth: { kind: 'bearer' } });
    made.server.misbehave({ path: /^\/token/ }, answersError(500, 'UNKNOWN'));
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
  });

  test('basic', async () => {
    const made = await filled({ auth: { kind: 'basic' } });
    expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    await download(made.repository, blob.descriptor);
    expect(made.server.requests.filter(({ status }) => status === 401)).toHaveLength(1);
  });

  test.each(['basic', 'bearer'] as const)(
    'a password that ends within the hour, as helpers give them, is asked for anew (%s)',
    async (kind) => {
      let password = 's3cret';
      const find = async () => ({ kind: 'basic' as const, username: 'alice', password });
      const made = await filled({ auth: { kind } }, { credentials: { find } });
      await download(made.repository, blob.descriptor);
      made.clock.pass(3_600_000);
      password = 'another';
      made.server.auth?.changePassword(password);
      made.server.auth?.expireTokens();
      expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
      expect(made.clock.slept).toEqual([]);
    },
  );

  test('a source is not asked for each request, and one that failed is asked again', async () => {
    let asked = 0;
    const find = async () => {
      if (++asked === 1) throw new AirgapError('CREDENTIALS_INVALID', 'the helper failed');
      return alice.find();
    };
    const made = await filled({ auth: { kind: 'basic' } }, { credentials: { find } });
    expect((await rejected(download(made.repository, blob.descriptor))).code).toBe('CREDENTIALS_INVALID');
    for (let i = 0; i < 5; i++) expect(await download(made.repository, blob.descriptor)).toEqual(blob.bytes);
    expect(asked).toBe(2);
  });

  test('no credentials where some are wanted', async () => {
    const made = await filled({ auth: { kind: 'basic' } }, { credentials: undefined });
    const error = await rejected(download(made.repository, blob.descriptor));
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
    expect(error.hint).toBeTruthy();
  });

  test('credentials are looked up for this host and no other', async () => {
    const asked: string[] = [];
    const find = (host: string) => {
      asked.push(host);
      return alice.find();
    };
    const made = await filled({ auth: { kind: 'bearer' } }, { credentials: { find } });
    await download(made.repository, blob.descriptor);
    expect(new Set(asked)).toEqual(new Set([made.server.host]));
  });

  test.each([
    '',
    'Negotiate',
    'Bearer realm="unclosed',
    'Bearer service="x"',
    'Bearer realm=""',
    ',,,',
    'Digest realm="x", nonce="y"',
  ])('a challenge that cannot be answered: %j', async (challenge) => {
    const made = await filled();
    made.server.misbehave({ path: /^\/v2\//, times: Infinity }, answers(401, { 'www-authenticate': challenge }));
    const { code } = await rejected(download(made.repository, blob.descriptor));
    expect(['REGISTRY_UNAUTHORIZED', 'REGISTRY_PROTOCOL', 'URL_REFUSED']).toContain(code);
    expect(made.server.requests.length).toBeLessThanOrEqual(3);
  });
});
