import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChunkRange, parseRange } from '../../../src/registry/server/range.ts';

const bytes = (size: number) => Array.from({ length: size }, (_, i) => i);

describe('the Range of a GET', () => {
  test('first-last names the bytes that slice() names', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(50), fc.nat(50), (size, first, last) => {
        const range = parseRange(`bytes=${first}-${last}`, size);
        const expected = bytes(size).slice(first, last + 1);
        if (expected.length === 0) return range === 'unsatisfiable';
        return typeof range === 'object' && bytes(size).slice(range.start, range.end).join() === expected.join();
      }),
    );
  });
  test('first- and -length name the bytes that slice() names', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 50 }), (size, n) => {
        for (const [header, expected] of [
          [`bytes=${n}-`, bytes(size).slice(n)],
          [`bytes=-${n}`, bytes(size).slice(-n)],
        ] as const) {
          const range = parseRange(header, size);
          if (expected.length === 0) expect(range).toBe('unsatisfiable');
          else expect(range).toEqual({ start: expected[0], end: size });
        }
      }),
    );
  });
  test('of anything else is not honoured, whatever it is', () => {
    for (const header of [
      undefined,
      '',
      'bytes',
      'bytes=',
      'bytes=-',
      'bytes=a-b',
      'bytes=1-2,4-5',
      'bytes= 1-2',
      'lines=1-2',
    ])
      expect(parseRange(header, 10)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), fc.nat(100), (header, size) => {
        const range = parseRange(header, size);
        return typeof range !== 'object' || (range.start >= 0 && range.start < range.end && range.end <= size);
      }),
    );
  });
});

describe('the Content-Range of a chunk', () => {
  test.each(['0-9', 'bytes 0-9', 'bytes 0-9/20', 'bytes 0-9/*'])('%s is ten bytes', (header) => {
    expect(parseChunkRange(header)).toEqual({ start: 0, end: 10 });
  });
  test.each(['', '9-0', '-9', '0-', '0-9,', '0x0-0x9', '0-99999999999999999999', ' 0-9'])('%j is none', (header) => {
    expect(parseChunkRange(header)).toBeUndefined();
  });
});
