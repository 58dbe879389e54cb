import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../src/registry/challenge.ts';
import { thrown } from '../support/thrown.ts';

/** One of the characters of an ASCII text. */
const letters = (text: string): fc.Arbitrary<string> => fc.constantFrom(...text.split(''));

/** What can be compared. */
function read(headers: string | readonly string[] | undefined): [string, Record<string, string>][] {
  return parseChallenges(headers).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

const HUB = { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull,push' };

test.each<[string, [string, Record<string, string>][]]>([
  ['Basic realm="Registry"', [['basic', { realm: 'Registry' }]]],
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    [['bearer', HUB]],
  ],
  [
    'BEARER  Realm = "https://auth.docker.io/token" , service="registry.docker.io", SCOPE="repository:a/b:pull,push"',
    [['bearer', HUB]],
  ],
  ['Basic realm=simple, charset="UTF-8"', [['basic', { realm: 'simple', charset: 'UTF-8' }]]],
  [
    'Basic realm="a, b", Bearer realm="https://x", Negotiate',
    [
      ['basic', { realm: 'a, b' }],
      ['bearer', { realm: 'https://x' }],
      ['negotiate', {}],
    ],
  ],
  [
    'Negotiate YII=, Basic realm="x"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  ['Basic realm="say \\"hi\\" \\\\ there"', [['basic', { realm: 'say "hi" \\ there' }]]],
  ['Basic realm=""', [['basic', { realm: '' }]]],
  [', Basic realm="x" ,', [['basic', { realm: 'x' }]]],
  ['', []],
])('%s', (header, expected) => {
  expect(read(header)).toEqual(expected);
});

test('several headers are one list', () => {
  expect(read(['Negotiate', 'Basic realm="x"'])).toEqual([
    ['negotiate', {}],
    ['basic', { realm: 'x' }],
  ]);
  expect(read(undefined)).toEqual([]);
});

describe('what is not by the grammar is refused', () => {
  test.each([
    'Bearer realm="https://x',
    'Bearer realm=https://x',
    'Bearer realm="a" service="b"',
    'Bearer realm="a",realm="b"',
    'Bearer realm="a",REALM="b"',
    'Bearer realm="a"b',
    'Bearer realm="a\u0000"',
    'Bearer realm="a\r\nX: y"',
    'Bearer "a"',
    'Bearer =a',
    '"Bearer" realm="a"',
    'Bearer realm="a";service="b"',
    `Basic realm="${'x'.repeat(9000)}"`,
  ])('%j', (header) => {
    expect(thrown(() => parseChallenges(header)).code).toBe('REGISTRY_PROTOCOL');
  });
});

test('whatever a value holds, written by the grammar it comes back the same', () => {
  const value = fc.string({ unit: letters(' !"\\,=;abcZ09:/?&~'), maxLength: 40 });
  const name = fc.stringMatching(/^[a-z]{1,10}$/);
  fc.assert(
    fc.property(fc.dictionary(name, value, { minKeys: 1, maxKeys: 5 }), (parameters) => {
      const written = Object.entries(parameters).map(([key, text]) => `${key}="${text.replace(/["\\]/g, '\\$&')}"`);
      expect(read(`Bearer ${written.join(', ')}, Basic realm="x"`)).toEqual([
        ['bearer', { ...parameters }],
        ['basic', { realm: 'x' }],
      ]);
    }),
  );
});

test('any text is read or refused, quickly', () => {
  fc.assert(
    fc.property(fc.string({ unit: letters('Bearer ="\\,\t=a'), maxLength: 300 }), (text) => {
      try {
        parseChallenges(text);
      } catch (error) {
        expect(error).toMatchObject({ code: 'REGISTRY_PROTOCOL' });
      }
    }),
  );
});
