import { expect, test } from 'vitest';
import { schemaKeys } from '../../src/build/schema-keys.ts';

test('keys are listed by path, each before those inside it, with a type that people can read', () => {
  const keys = schemaKeys({
    type: 'object',
    required: ['a'],
    properties: {
      a: { type: 'string', title: 'version', description: 'A.', examples: ['1.0.0'] },
      b: {
        type: 'array',
        description: 'B.',
        default: [],
        items: {
          anyOf: [
            { anyOf: [{ const: 'x' }, { const: 'y' }, { type: 'string', title: 'word' }] },
            { type: 'object', properties: { c: { enum: ['p', 'q'], description: 'C.' } } },
          ],
        },
      },
      d: {
        type: 'object',
        description: 'D.',
        propertyNames: { title: 'host' },
        additionalProperties: {
          anyOf: [{ const: 'none' }, { type: 'object', properties: { e: { type: 'boolean', description: 'E.' } } }],
        },
      },
      silent: { type: 'object', properties: { f: { const: true, description: 'F.' } } },
    },
  });
  expect(keys.map(({ path, type, required }) => [path, type, required])).toEqual([
    ['a', 'version', true],
    ['b', 'list of word or object', false],
    ['b[].c', '"p" or "q"', false],
    ['d', 'host to "none" or object', false],
    ['d.<host>.e', 'boolean', false],
    ['silent.f', 'true', false],
  ]);
  expect(keys[0]).toEqual({
    ...{ path: 'a', type: 'version', required: true, description: 'A.', examples: ['1.0.0'] },
  });
  expect(keys[1]).toMatchObject({ default: [], examples: [] });
});
