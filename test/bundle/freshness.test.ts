import { expect, test } from 'vitest';
import { describeFreshness, isExpired, isExpiry, parseExpiry, parseSequence } from '../../src/bundle/freshness.ts';
import { encodeBundleManifest, parseBundleManifest } from '../../src/bundle/manifest.ts';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { parseSourceDateEpoch } from '../../src/core/source-date.ts';
import { pack } from '../support/pack.ts';
import { thrown } from '../support/thrown.ts';

test.each(['1970-01-01T00:00:00Z', '2028-02-29T23:59:59Z', '9999-12-31T23:59:59Z'])('%s is an expiry', (text) => {
  expect(isExpiry(text)).toBe(true);
});

test.each([
  '2027-02-29T00:00:00Z',
  '2030-13-01T00:00:00Z',
  '2030-01-01T24:00:00Z',
  '2100-02-29T00:00:00Z',
  '2030-04-31T00:00:00Z',
  '2030-00-01T00:00:00Z',
  '2030-01-00T00:00:00Z',
  '2030-01-01T00:60:00Z',
  '2030-06-30T23:59:60Z',
  '2030-01-01T00:00:00+00:00',
  '2030-01-01T00:00:00.000Z',
  '2030-01-01 00:00:00Z',
  '2030-01-01t00:00:00z',
  '1969-12-31T23:59:59Z',
  '2030-01-01',
  '+02030-01-01T00:00:00Z',
  'never',
  '',
])('%j is no expiry, and a manifest with it is refused', (text) => {
  expect(isExpiry(text)).toBe(false);
  const bytes = canonicalJson({ ...pack().manifest, expires: text });
  expect(thrown(() => parseBundleManifest(bytes)).code).toBe('BUNDLE_CORRUPT');
});

test('a day to expire on is meant to its end', () => {
  expect(parseExpiry('2030-12-31')).toBe('2030-12-31T23:59:59Z');
  expect(parseExpiry('2030-12-31T12:00:00Z')).toBe('2030-12-31T12:00:00Z');
  for (const text of ['2030-02-30', 'tomorrow', '2030-12-31T12:00:00', '31.12.2030'])
    expect(thrown(() => parseExpiry(text)).code).toBe('USAGE');
});

test('a bundle is expired after its last second, and never without one', () => {
  const expires = '2030-12-31T23:59:59Z';
  expect(isExpired({ expires }, new Date('2030-12-31T23:59:59.999Z'))).toBe(false);
  expect(isExpired({ expires }, new Date('2031-01-01T00:00:00.000Z'))).toBe(true);
  expect(isExpired({}, new Date('2999-01-01T00:00:00Z'))).toBe(false);
  expect(describeFreshness({ sequence: 7, expires })).toBe(`sequence 7, expires ${expires}`);
});

test.each([0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER])('sequence %d is written and read', (sequence) => {
  const bytes = encodeBundleManifest({ ...pack().manifest, sequence });
  expect(parseBundleManifest(bytes).sequence).toBe(sequence);
  expect(parseSequence(String(sequence))).toBe(sequence);
});

test.each(['9007199254740992', '-1', '01', '1.0', '1e3', ' 1', '', '0x10'])('%j is no sequence', (text) => {
  expect(parseSequence(text)).toBeUndefined();
});

test('SOURCE_DATE_EPOCH is whole seconds, or not set', () => {
  expect(parseSourceDateEpoch('1767225600')).toBe(1_767_225_600);
  expect([undefined, ''].map(parseSourceDateEpoch)).toEqual([undefined, undefined]);
  expect(thrown(() => parseSourceDateEpoch('today')).code).toBe('CONFIG_INVALID');
});

test.each(['base', 'absent'])('a delta (%s) is not taken for a whole bundle', (key) => {
  for (const value of [null, [], {}, `sha256:${'0'.repeat(64)}`]) {
    const error = thrown(() => parseBundleManifest(canonicalJson({ ...pack().manifest, [key]: value })));
    expect([error.code, error.exitStatus]).toEqual(['FORMAT_UNKNOWN', 2]);
    expect(error.message).toContain('delta');
  }
});
