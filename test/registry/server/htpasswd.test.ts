import { hashSync } from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { htpasswdAuthorizer } from '../../../src/registry/server/htpasswd.ts';
import { thrown } from '../../support/thrown.ts';

const HASH = hashSync('s3cret', 4);
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('accounts', () => {
  test.each([
    ['of htpasswd -B ($2y$)', `alice:${HASH.replace(/^\$2.\$/, '$2y$')}`],
    ['of older programs ($2a$)', `alice:${HASH.replace(/^\$2.\$/, '$2a$')}`],
    ['between comments and empty lines, with CR LF', `# who\r\n\r\nbob:${hashSync('x', 4)}\r\nalice:${HASH}\r\n`],
  ])('%s are let in', async (_, text) => {
    const authorize = htpasswdAuthorizer(text);
    expect(await authorize(basic('alice:s3cret'))).toBe(true);
    expect(await authorize(basic('alice:S3cret'))).toBe(false);
  });

  test('are let in when they all come at once, and others are not', async () => {
    const authorize = htpasswdAuthorizer(`alice:${HASH}`);
    const asked = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'alice:s3cret' : 'mallory:s3cret'));
    expect(await Promise.all(asked.map((text) => authorize(basic(text))))).toEqual(asked.map((_, i) => i % 2 === 0));
  });

  test('may have a colon and letters beyond ASCII in the password', async () => {
    const authorize = htpasswdAuthorizer(`alice:${hashSync('pass:wörd', 4)}`);
    expect(await authorize(basic('alice:pass:wörd'))).toBe(true);
    expect(await authorize(basic('alice:pass'))).toBe(false);
  });

  test.each([
    undefined,
    '',
    'Basic',
    'Basic ',
    'Bearer s3cret',
    basic('alice'),
    basic(''),
    basic(':s3cret'),
    basic('__proto__:s3cret'),
    basic('alice:s3cret\0'),
    `Basic alice:s3cret`,
    `${basic('alice:s3cret')} more`,
  ])('are not let in by the header %j', async (header) => {
    expect(await htpasswdAuthorizer(`alice:${HASH}`)(header)).toBe(false);
  });
});

describe('a flood of passwords', () => {
  test('is refused beyond sixteen checks, with the time to come again, and those who are in are not kept out', async () => {
    const authorize = htpasswdAuthorizer(`alice:${HASH}`);
    expect(await authorize(basic('alice:s3cret'))).toBe(true);
    const guesses = Array.from({ length: 50 }, (_, i) => authorize(basic(`alice:guess ${i}`)));
    expect(await authorize(basic('alice:s3cret'))).toBe(true);
    const results = await Promise.allSettled(guesses);
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(refused).toHaveLength(34);
    for (const error of refused)
      expect(error).toMatchObject({ code: 'TOOMANYREQUESTS', status: 429, headers: { 'retry-after': '2' } });
    expect(results.filter((result) => result.status === 'fulfilled').map(({ value }) => value)).toEqual(
      Array.from({ length: 16 }, () => false),
    );
    expect(await authorize(basic('alice:another'))).toBe(false);
  });

  test('the same credentials many times at once are one check', async () => {
    const authorize = htpasswdAuthorizer(`alice:${HASH}`);
    const all = await Promise.all(Array.from({ length: 100 }, () => authorize(basic('alice:s3cret'))));
    expect(new Set(all)).toEqual(new Set([true]));
  });

  test('credentials that were right are remembered for ten minutes', async () => {
    let now = 0;
    const authorize = htpasswdAuthorizer(`alice:${HASH}`, () => now);
    expect(await authorize(basic('alice:s3cret'))).toBe(true);
    const filled = (): Promise<unknown>[] => Array.from({ length: 16 }, (_, i) => authorize(basic(`bob:${now} ${i}`)));
    now = 599_999;
    const [first, known] = [filled(), authorize(basic('alice:s3cret'))];
    expect(await known).toBe(true);
    await Promise.all(first);
    now = 600_000;
    const [second, forgotten] = [filled(), authorize(basic('alice:s3cret'))];
    await expect(forgotten).rejects.toMatchObject({ code: 'TOOMANYREQUESTS' });
    await Promise.all(second);
  });
});

test.each([
  ['a cost that would take minutes', HASH.replace('$04$', '$31$')],
  ['a cost that is none', HASH.replace('$04$', '$00$')],
  ['a hash that was cut off', HASH.slice(0, -1)],
  ['MD5', '$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/'],
])('an account with %s is refused', (_, hash) => {
  const error = thrown(() => htpasswdAuthorizer(`alice:${HASH}\nbob:${hash}\n`));
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.message).toContain('line 2');
  expect(error.message).not.toContain(hash);
});
