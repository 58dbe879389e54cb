// The small header grammars: ranges, Retry-After, scopes, and what may be shown of what a server says.
import { describe, expect, test } from 'vitest';
import { safeText } from '../../src/registry/http-error.ts';
import { parseContentRange, parseUploadRange } from '../../src/registry/range.ts';
import { parseRetryAfter, waitText } from '../../src/registry/retry-after.ts';
import { covers, mergeScopes, parseScopes } from '../../src/registry/scope.ts';

test.each([
  ['bytes 0-9/10', { start: 0, end: 9, total: 10 }],
  ['bytes 5-9/*', { start: 5, end: 9, total: undefined }],
  ['BYTES 5-9/10', { start: 5, end: 9, total: 10 }],
  ['bytes */10', undefined],
  ['bytes 5-/10', undefined],
  ['bytes=5-9/10', undefined],
  ['bytes 5-9/10 x', undefined],
  ['bytes 5-99999999999999999999/10', undefined],
  ['', undefined],
  [undefined, undefined],
])('Content-Range %s', (header, expected) => {
  expect(parseContentRange(header)).toEqual(expected);
});

test.each([
  ['0-999', 999],
  ['bytes=0-999', 999],
  ['bytes 0-999', 999],
  ['0-0', 0],
  ['0--1', 0],
  ['5-999', undefined],
  ['999', undefined],
  ['0-1e3', undefined],
  [undefined, undefined],
])('Range of an upload: %s', (header, expected) => {
  expect(parseUploadRange(header)).toBe(expected);
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 10, 23, 12, 0, 0);
  test.each([
    ['0', 0],
    ['7', 7000],
    [' 7 ', 7000],
    ['86400', 86_400_000],
    ['99999999', 99_999_999_000],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['Tue, 23 Nov 2027 12:00:00 GMT', 365 * 86_400_000],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['2026-11-23', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});

test.each([
  [500, '1 s'],
  [119_000, '119 s'],
  [1_500_000, '25 minutes'],
  [21_600_000, '6 hours'],
  [99_999_999_000, '1157 days'],
])('%i ms are said as %s', (milliseconds, text) => {
  expect(waitText(milliseconds)).toBe(text);
});

describe('scopes', () => {
  test('a token for more covers less, of the same resource only', () => {
    expect(covers(['repository:a:pull,push'], ['repository:a:pull'])).toBe(true);
    expect(covers(['repository:a:pull'], ['repository:a:pull,push'])).toBe(false);
    expect(covers(['repository:a:pull,push'], ['repository:b:pull'])).toBe(false);
    expect(covers(['repository:a:pull', 'repository:b:pull'], ['repository:b:pull', 'repository:a:pull'])).toBe(true);
    expect(covers([], [])).toBe(true);
  });

  test('merging has one order and names each resource once', () => {
    expect(mergeScopes(['repository:b:push,pull'], ['repository:a:pull', 'repository:b:pull'])).toEqual([
      'repository:a:pull',
      'repository:b:pull,push',
    ]);
  });

  test('of a challenge, few and plain ones are taken', () => {
    expect(parseScopes('repository:a/b:pull,push registry:catalog:*')).toEqual([
      'repository:a/b:pull,push',
      'registry:catalog:*',
    ]);
    expect(parseScopes('nonsense repository:a\u0001:pull')).toEqual([]);
    expect(parseScopes(Array.from({ length: 100 }, (_, i) => `repository:r${i}:pull`).join(' '))).toHaveLength(8);
    expect(parseScopes(undefined)).toEqual([]);
  });
});

test('text of a server is one line without characters that a terminal would obey', () => {
  expect(safeText('a\u001b[31mred\r\nb\u202Ec\u200Bd\u0085e\u2028f')).toBe('a [31mred b c d e f');
  expect(safeText('x'.repeat(5000)).length).toBeLessThan(310);
});
