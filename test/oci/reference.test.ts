import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatReference, parseReference } from '../../src/oci/reference.ts';
import { thrown } from '../support/thrown.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('references', () => {
  test.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1', 'docker.io/library/nginx:1'],
    ['elastic/kibana', 'docker.io/elastic/kibana:latest'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['index.docker.io/a/b', 'docker.io/a/b:latest'],
    ['localhost/a', 'localhost/a:latest'],
    ['localhost:5000/a:1', 'localhost:5000/a:1'],
    ['127.0.0.1:5000/a/b', '127.0.0.1:5000/a/b:latest'],
    ['[::1]:5000/a', '[::1]:5000/a:latest'],
    ['Registry/a', 'Registry/a:latest'],
    ['registry.example/a__b/c-d.e:V1.0_x', 'registry.example/a__b/c-d.e:V1.0_x'],
    [`a.example/b@${DIGEST}`, `a.example/b@${DIGEST}`],
    [`a.example/b:1@${DIGEST}`, `a.example/b:1@${DIGEST}`],
    ['docker.elastic.co/kibana/kibana:9.5.2', 'docker.elastic.co/kibana/kibana:9.5.2'],
  ])('%s is %s', (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full);
  });

  test.each([
    '',
    ':1',
    '@',
    'a:',
    'a/B',
    'a//b',
    'a/',
    '/a',
    'a b',
    'a.example/',
    'a.example/b:',
    `a@${DIGEST}@${DIGEST}`,
    'a@sha256:1',
    'a@md5:1',
    'a:b:c',
    `a:${'x'.repeat(129)}`,
    'a.example:99999/b',
    'http://a.example/b',
    '../a',
    'a/../b',
    'a\u0000',
    `${'a/'.repeat(200)}a`,
    'x'.repeat(5000),
  ])('%j is refused', (text) => {
    expect(thrown(() => parseReference(text)).code).toBe('REFERENCE_INVALID');
  });

  test('what is parsed and formatted parses to the same', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?$/);
    const name = fc.array(component, { minLength: 1, maxLength: 4 });
    const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: undefined });
    fc.assert(
      fc.property(name, tag, (components, version) => {
        const text = `registry.example:5000/${components.join('/')}${version === undefined ? '' : `:${version}`}`;
        const parsed = parseReference(text);
        expect(parseReference(formatReference(parsed))).toEqual(parsed);
      }),
    );
  });

  test('arbitrary text is parsed or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          return parseReference(text).repository !== '';
        } catch (error) {
          return (error as { code: string }).code === 'REFERENCE_INVALID';
        }
      }),
    );
  });
});
