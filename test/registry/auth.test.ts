// Which Authorization a request gets, without a network. Whole flows against a server are in faults-tokens.test.ts.
import { describe, expect, test } from 'vitest';
import { Auth } from '../../src/registry/auth.ts';
import type { Credential } from '../../src/registry/credential.ts';
import { basicAuthorization, type Token, type TokenRequest } from '../../src/registry/token.ts';
import { FakeClock } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const CHALLENGE = 'Bearer realm="https://auth.example/token",service="registry.example"';
const ALICE = { kind: 'basic', username: 'alice', password: 's3cret' } as const;
const pull = ['repository:a:pull'];
const push = ['repository:a:pull,push'];

interface Desk {
  readonly auth: Auth;
  readonly clock: FakeClock;
  readonly asked: TokenRequest[];
}

function desk(credential?: Credential, answer?: (request: TokenRequest, count: number) => Promise<Token>): Desk {
  const clock = new FakeClock();
  const asked: TokenRequest[] = [];
  const auth = new Auth({
    host: 'registry.example',
    clock,
    credential: async () => credential,
    checkRealm: (realm) => new URL(realm),
    fetchToken: async (request) => {
      asked.push(request);
      return (await answer?.(request, asked.length)) ?? { token: `t${asked.length}`, lifetime: 300 };
    },
  });
  return { auth, clock, asked };
}

describe('bearer', () => {
  test('nothing is sent before the registry asks, then a token for what is needed', async () => {
    const { auth, asked } = desk(ALICE);
    expect(await auth.authorization(pull)).toBeUndefined();
    expect(await auth.respond(CHALLENGE, { scopes: pull, used: undefined })).toBe('Bearer t1');
    expect(asked[0]).toMatchObject({ service: 'registry.example', scopes: pull, credential: ALICE });
    expect(asked[0]?.realm.href).toBe('https://auth.example/token');
    expect(await auth.authorization(pull)).toBe('Bearer t1');
  });

  test('a token for more serves for less; for more a new one is fetched', async () => {
    const { auth, asked } = desk(ALICE);
    await auth.respond(CHALLENGE, { scopes: pull, used: undefined });
    expect(await auth.authorization(push)).toBe('Bearer t2');
    expect(await auth.authorization(pull)).toBe('Bearer t2');
    expect(asked).toHaveLength(2);
  });

  test('what the challenge asks for beside is asked for, too, and again when it is renewed', async () => {
    const { auth, asked, clock } = desk();
    const challenge = `${CHALLENGE},scope="repository:a:pull repository:base:pull"`;
    await auth.respond(challenge, { scopes: pull, used: undefined });
    clock.pass(300_000);
    await auth.authorization(pull);
    expect(asked.map(({ scopes }) => scopes)).toEqual([
      ['repository:a:pull', 'repository:base:pull'],
      ['repository:a:pull', 'repository:base:pull'],
    ]);
  });

  test('a token is renewed shortly before it ends', async () => {
    const { auth, clock, asked } = desk(ALICE);
    await auth.respond(CHALLENGE, { scopes: pull, used: undefined });
    clock.pass(289_000);
    expect(await auth.authorization(pull)).toBe('Bearer t1');
    clock.pass(2000);
    expect(await auth.authorization(pull)).toBe('Bearer t2');
    expect(asked).toHaveLength(2);
  });

  test('many refused at once fetch one token', async () => {
    const { auth, asked } = desk(ALICE);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => auth.respond(CHALLENGE, { scopes: pull, used: undefined })),
    );
    expect(new Set(answers)).toEqual(new Set(['Bearer t1']));
    expect(await auth.respond(CHALLENGE, { scopes: pull, used: undefined })).toBe('Bearer t1');
    expect(asked).toHaveLength(1);
  });

  test('a token that was refused is not used again', async () => {
    const { auth } = desk(ALICE);
    const first = await auth.respond(CHALLENGE, { scopes: pull, used: undefined });
    expect(await auth.respond(CHALLENGE, { scopes: pull, used: first })).toBe('Bearer t2');
    expect(await auth.respond(CHALLENGE, { scopes: pull, used: first })).toBe('Bearer t2');
  });

  test('nor for anything less', async () => {
    const { auth } = desk(ALICE);
    const wide = await auth.respond(CHALLENGE, { scopes: push, used: undefined });
    expect(await auth.respond(CHALLENGE, { scopes: pull, used: wide })).toBe('Bearer t2');
    expect(await auth.authorization(pull)).toBe('Bearer t2');
  });

  test('whoever waits for the token of one that is aborted fetches its own', async () => {
    const abort = new AbortController();
    const { auth, asked } = desk(ALICE, async (request, count) => {
      if (count > 1) return { token: 'mine', lifetime: 300 };
      return new Promise((_, reject) => {
        request.signal?.addEventListener('abort', () => reject(request.signal?.reason as Error));
      });
    });
    const first = auth.respond(CHALLENGE, { scopes: pull, used: undefined }, abort.signal);
    const second = auth.respond(CHALLENGE, { scopes: pull, used: undefined });
    await new Promise((resolve) => void setImmediate(resolve));
    abort.abort(new Error('stop'));
    await expect(first).rejects.toThrow('stop');
    expect(await second).toBe('Bearer mine');
    expect(asked).toHaveLength(2);
  });

  test('a token that was given is sent as it is, once', async () => {
    const { auth, asked } = desk({ kind: 'bearer', token: 'given' });
    expect(await auth.respond(CHALLENGE, { scopes: pull, used: undefined })).toBe('Bearer given');
    expect(await auth.authorization(push)).toBe('Bearer given');
    const error = await rejected(auth.respond(CHALLENGE, { scopes: pull, used: 'Bearer given' }));
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
    expect(asked).toEqual([]);
  });
});

describe('basic', () => {
  test('is for everything, and not tried twice', async () => {
    const { auth } = desk(ALICE);
    const basic = basicAuthorization('alice', 's3cret');
    expect(await auth.respond('Basic realm="x"', { scopes: pull, used: undefined })).toBe(basic);
    expect(await auth.authorization(push)).toBe(basic);
    const error = await rejected(auth.respond('Basic realm="x"', { scopes: pull, used: basic }));
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
    expect(error.hint).toMatch(/registry\.example.*--authfile/s);
  });

  test('a name or password beyond ASCII is UTF-8', () => {
    expect(Buffer.from(basicAuthorization('ü', 'é:').slice(6), 'base64').toString('utf8')).toBe('ü:é:');
  });

  test.each<[string, Credential | undefined]>([
    ['no credentials', undefined],
    ['an identity token only', { kind: 'identity-token', token: 'x' }],
    ['an access token only', { kind: 'bearer', token: 'x' }],
  ])('%s: REGISTRY_UNAUTHORIZED', async (_, credential) => {
    const { auth } = desk(credential);
    expect((await rejected(auth.respond('Basic realm="x"', { scopes: pull, used: undefined }))).code).toBe(
      'REGISTRY_UNAUTHORIZED',
    );
  });
});

test('bearer is taken where both are offered; a kind that we do not know is named', async () => {
  expect(await desk(ALICE).auth.respond(['Basic realm="x"', CHALLENGE], { scopes: pull, used: undefined })).toBe(
    'Bearer t1',
  );
  for (const header of ['Negotiate', undefined]) {
    const error = await rejected(desk(ALICE).auth.respond(header, { scopes: pull, used: undefined }));
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
  }
});
