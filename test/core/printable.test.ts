import { expect, test } from 'vitest';
import { printable, printableJson } from '../../src/core/printable.ts';

/** Named for the test, by their code. */
const HARMFUL: readonly (readonly [string, number])[] = [
  ...[...Array(32).keys()].map((code) => ['C0', code] as const),
  ['DEL', 0x7f],
  ...[...Array(32).keys()].map((code) => ['C1', 0x80 + code] as const),
  ['soft hyphen', 0xad],
  ['Arabic letter mark', 0x61c],
  ['Hangul filler', 0x3164],
  ...[0x200b, 0x200c, 0x200d, 0x2060, 0xfeff].map((code) => ['zero width', code] as const),
  ...[0x200e, 0x200f].map((code) => ['directional mark', code] as const),
  ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e].map((code) => ['embedding, override', code] as const),
  ...[0x2066, 0x2067, 0x2068, 0x2069].map((code) => ['isolate', code] as const),
  ['line separator', 0x2028],
  ['paragraph separator', 0x2029],
  ['half of a character', 0xd800],
  ['the other half', 0xdfff],
  ['tag', 0xe0041],
];
const harmful = HARMFUL.map(([name, code]) => [name, code.toString(16), String.fromCodePoint(code)] as const);

test.each(harmful)('%s U+%s is shown as an escape in text and in JSON', (_name, hex, character) => {
  const shown = printable(`a${character}b`);
  expect(shown).toMatch(/^a\\(?:[nrt]|u[0-9a-f]{4}|u\{[0-9a-f]+\})b$/);
  if (!shown.includes('\\u')) expect(['a', 'd', '9']).toContain(hex);
  const json = printableJson({ name: `a${character}b` });
  expect(json.split('\n')).toHaveLength(3);
  expect(json).toMatch(/^[\n\x20-\x7e]*$/);
  expect(JSON.parse(json)).toEqual({ name: `a${character}b` });
});

test('whole sequences stay to be read, and letters of any script as they are', () => {
  expect(printable('\u001b]0;title\u0007x\u001b[2J')).toBe('\\u001b]0;title\\u0007x\\u001b[2J');
  for (const text of ['Größe', '日本語', 'ελληνικά', '😀', 'a  b']) expect(printable(text)).toBe(text);
});
