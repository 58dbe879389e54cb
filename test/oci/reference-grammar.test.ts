// The grammar of distribution/reference, case by case, and what Docker makes of a short name.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatReference,
  isRegistryHost,
  isRepository,
  isTag,
  parseReference,
  referencePart,
  type Reference,
} from '../../src/oci/reference.ts';
import { thrown } from '../support/thrown.ts';

const HEX = 'abcdef0123456789'.repeat(4);
const DIGEST = `sha256:${HEX}`;

describe('parseReference', () => {
  test.each<[string, Partial<Reference>]>([
    ['library/nginx', { registry: 'docker.io', repository: 'library/nginx', tag: 'latest' }],
    ['docker.io/library/nginx', { registry: 'docker.io', repository: 'library/nginx', tag: 'latest' }],
    ['index.docker.io/nginx:1', { registry: 'docker.io', repository: 'library/nginx', tag: '1' }],
    ['localhost', { registry: 'docker.io', repository: 'library/localhost', tag: 'latest' }],
    ['localhost/nginx', { registry: 'localhost', repository: 'nginx', tag: 'latest' }],
    ['localhost:5000/nginx', { registry: 'localhost:5000', repository: 'nginx', tag: 'latest' }],
    ['localhosts/nginx', { registry: 'docker.io', repository: 'localhosts/nginx', tag: 'latest' }],
    ['nginx:5000', { registry: 'docker.io', repository: 'library/nginx', tag: '5000' }],
    ['r:5000/nginx', { registry: 'r:5000', repository: 'nginx', tag: 'latest' }],
    ['R/nginx', { registry: 'R', repository: 'nginx', tag: 'latest' }],
    ['xn--bcher-kva.example/a', { registry: 'xn--bcher-kva.example', repository: 'a', tag: 'latest' }],
    ['[2001:db8::1]/a', { registry: '[2001:db8::1]', repository: 'a', tag: 'latest' }],
    ['[2001:db8::1]:5000/a/b:1', { registry: '[2001:db8::1]:5000', repository: 'a/b', tag: '1' }],
    ['a.example/b/c/d/e/f', { registry: 'a.example', repository: 'b/c/d/e/f', tag: 'latest' }],
    ['a.example/b---c__d.e_f', { registry: 'a.example', repository: 'b---c__d.e_f', tag: 'latest' }],
    [`nginx@${DIGEST}`, { registry: 'docker.io', repository: 'library/nginx', digest: DIGEST as never }],
    [`a.example/b:_1@${DIGEST}`, { registry: 'a.example', repository: 'b', tag: '_1', digest: DIGEST as never }],
    [`a.example/b:${'x'.repeat(128)}`, { registry: 'a.example', repository: 'b', tag: 'x'.repeat(128) }],
    [`a.example/${'x'.repeat(255)}`, { registry: 'a.example', repository: 'x'.repeat(255), tag: 'latest' }],
  ])('%s', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  test.each([
    ['a space', 'a.example/b c'],
    ['a newline at the end', 'a.example/b:1\n'],
    ['a tag that begins with a hyphen', 'a.example/b:-1'],
    ['a tag that begins with a dot', 'a.example/b:.1'],
    ['a tag of 129 characters', `a.example/b:${'x'.repeat(129)}`],
    ['a repository of 256 characters', `a.example/${'x'.repeat(256)}`],
    ['three underscores', 'a.example/b___c'],
    ['two dots', 'a.example/b..c'],
    ['a separator at the end of a component', 'a.example/b-/c'],
    ['a separator at its beginning', 'a.example/-b'],
    ['upper case in the repository', 'a.example/Nginx'],
    ['upper case without a host', 'Nginx'],
    ['an underscore in the host', 'a_b.example/c'],
    ['a hyphen at the end of a label', 'a-.example/c'],
    ['a dot at the end of the host', 'a.example./c'],
    ['a port that is none', 'a.example:http/c'],
    ['a port that cannot be', 'a.example:65536/c'],
    ['no port after the colon', 'a.example:/c'],
    ['an IPv6 address without brackets', '2001:db8::1/a'],
    ['an IPv6 address that is not closed', '[2001:db8::1/a'],
    ['an IPv6 zone', '[fe80::1%25eth0]/a'],
    ['a scheme', 'https://a.example/b'],
    ['credentials', 'user:password@a.example/b'],
    ['a query', 'a.example/b?c'],
    ['the digits of a digest alone', HEX],
    ['an empty digest', 'a.example/b@'],
    ['a digest of another kind', `a.example/b@sha512:${HEX}${HEX}`],
    ['an upper-case digest', `a.example/b@sha256:${HEX.toUpperCase()}`],
    ['tag and digest the wrong way round', `a.example/b@${DIGEST}:1`],
    ['letters that look like others', 'а.example/b'],
    ['a wide slash', 'a.example／b'],
    ['more than anybody writes', `a.example/${'b/'.repeat(3000)}c`],
  ])('%s is refused', (_case, text) => {
    const error = thrown(() => parseReference(text));
    expect(error.code).toBe('REFERENCE_INVALID');
    expect(error.message.length).toBeLessThan(1000);
    expect(error.hint).toBeDefined();
  });

  test('what every part of the grammar can make parses, and comes back the same from its full form', () => {
    fc.assert(
      fc.property(fullReference, (text) => {
        const parsed = parseReference(text);
        expect(parseReference(formatReference(parsed))).toEqual(parsed);
        expect([isRegistryHost(parsed.registry), isRepository(parsed.repository)]).toEqual([true, true]);
        expect(referencePart(parsed)).toBe(parsed.digest ?? parsed.tag);
      }),
      { numRuns: 500 },
    );
  });

  test('no text takes long to refuse', () => {
    for (const text of [`${'a-'.repeat(2000)}!/b`, `${'a.'.repeat(120)}!/b`, `a.example/${'a_'.repeat(120)}!`]) {
      expect(thrown(() => parseReference(text)).code).toBe('REFERENCE_INVALID');
    }
  });
});

describe('the parts', () => {
  test.each([
    ['v1.0-x_y', true],
    ['_', true],
    ['', false],
    ['a b', false],
    ['a/b', false],
    ['ä', false],
  ])('the tag %j: %s', (text, expected) => {
    expect(isTag(text)).toBe(expected);
  });

  test.each([
    ['registry.example:443', true],
    ['[::1]', true],
    ['127.0.0.1:5000', true],
    [`${'a'.repeat(300)}.example`, false],
    ['registry.example/', false],
    ['', false],
  ])('the host %j: %s', (text, expected) => {
    expect(isRegistryHost(text)).toBe(expected);
  });
});

const label = fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,6}[A-Za-z0-9])?$/);
const port = fc.option(
  fc.integer({ min: 1, max: 65_535 }).map((number) => `:${number}`),
  { nil: '' },
);
const host = fc.oneof(
  fc.tuple(fc.array(label, { minLength: 2, maxLength: 4 }), port).map(([labels, at]) => `${labels.join('.')}${at}/`),
  fc.tuple(fc.ipV6(), port).map(([address, at]) => `[${address}]${at}/`),
  fc.constantFrom('', 'localhost/', 'docker.io/', 'index.docker.io/'),
);
const component = fc.stringMatching(/^[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const fullReference = fc
  .record({
    host,
    // without a host, a first component with a dot would be one
    path: fc
      .tuple(fc.stringMatching(/^[a-z0-9]{1,6}$/), fc.array(component, { maxLength: 3 }))
      .map((path) => path.flat()),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: undefined }),
    digest: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: undefined }),
  })
  .map(
    ({ host: first, path, tag, digest }) =>
      `${first}${path.join('/')}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@sha256:${digest}`}`,
  );
