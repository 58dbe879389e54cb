import { expect, test } from 'vitest';
import { copyInto, sharedBuffer } from '../../src/core/hashing.ts';

const kinds = { shared: sharedBuffer, plain: (size: number) => Buffer.alloc(size) };

test.each(Object.entries(kinds))('copies into %s memory what belongs there, and nothing beside it', (_, allocate) => {
  const buffer = allocate(8);
  copyInto(buffer, Uint8Array.of(1, 2, 3), 4);
  copyInto(buffer, new Uint8Array(0), 2);
  copyInto(buffer, Uint8Array.of(9), 7);
  expect([...buffer]).toEqual([0, 0, 0, 0, 1, 2, 3, 9]);
});

test('bytes for which there is no room are refused, not cut', () => {
  expect(() => copyInto(sharedBuffer(8), Uint8Array.of(1, 2, 3), 6)).toThrow(RangeError);
});
