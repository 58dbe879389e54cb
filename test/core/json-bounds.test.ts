import { expect, test } from 'vitest';
import { isWithin } from '../../src/core/json-bounds.ts';

const within = (text: string, depth: number, marks: number): boolean => isWithin(Buffer.from(text), { depth, marks });

test.each([
  ['{}', 1, 1],
  ['[1,[2,{"a":[]}]]', 4, 6],
  ['"[[[[,,,,"', 0, 0],
  [String.raw`["\"[[[,,,","\\",1]`, 1, 3],
])('%s is %d deep, with %d marks', (text, depth, marks) => {
  expect(within(text, depth, marks)).toBe(true);
  if (depth > 0) expect(within(text, depth - 1, marks)).toBe(false);
  if (marks > 0) expect(within(text, depth, marks - 1)).toBe(false);
});

test('a string that does not end is the end of the text', () => {
  expect(within('["[[[[', 1, 1)).toBe(true);
  expect(within('["\\', 1, 1)).toBe(true);
});
