import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPlatform, isUnknownPlatform, matchesPlatform, parsePlatform } from '../../src/oci/platform.ts';
import { thrown } from '../support/thrown.ts';

const PLATFORMS = [
  'linux/386',
  'linux/amd64',
  'linux/amd64/v3',
  'linux/arm/v5',
  'linux/arm/v6',
  'linux/arm64',
  'linux/arm64/v9',
  'linux/ppc64le',
  'linux/riscv64',
  'linux/s390x',
  'windows/amd64',
];

describe('platforms', () => {
  test.each(PLATFORMS)('%s is its own full form, and is matched by itself alone', (text) => {
    expect(formatPlatform(parsePlatform(text))).toBe(text);
    expect(PLATFORMS.filter((other) => matchesPlatform(parsePlatform(text), parsePlatform(other)))).toEqual([text]);
  });

  test.each([
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm/v7', 'linux/arm'],
    ['linux/amd64/v1', 'linux/amd64'],
  ])('%s is the usual %s', (full, short) => {
    expect(formatPlatform(parsePlatform(full))).toBe(short);
    expect(matchesPlatform(parsePlatform(full), parsePlatform(short))).toBe(true);
    expect(matchesPlatform(parsePlatform(short), parsePlatform(full))).toBe(true);
  });

  test('an empty variant, as some indexes write it, is none', () => {
    const found = { os: 'linux', architecture: 'arm64', variant: '' };
    expect(matchesPlatform(parsePlatform('linux/arm64'), found)).toBe(true);
    expect(matchesPlatform(parsePlatform('linux/arm64/v8'), found)).toBe(true);
    expect(formatPlatform(found)).toBe('linux/arm64');
  });

  test('versions of Windows are one platform', () => {
    const found = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.1' };
    expect(matchesPlatform(parsePlatform('windows/amd64'), found)).toBe(true);
    expect(formatPlatform(found)).toBe('windows/amd64');
  });

  test('the place of an attestation is told from a platform', () => {
    expect(isUnknownPlatform({ os: 'unknown', architecture: 'unknown' })).toBe(true);
    expect(isUnknownPlatform({ os: 'linux', architecture: 'unknown' })).toBe(false);
    expect(isUnknownPlatform(undefined)).toBe(false);
  });

  test.each([
    '',
    'linux',
    'linux/',
    '/amd64',
    'linux//v8',
    'linux/arm/',
    'linux/arm/v7/x',
    'Linux/AMD64',
    'linux/amd64\n',
    'linux amd64',
    `linux/${'x'.repeat(33)}`,
  ])('%j is refused', (text) => {
    const error = thrown(() => parsePlatform(text));
    expect([error.code, error.hint !== undefined]).toEqual(['REFERENCE_INVALID', true]);
  });

  test('what is parsed and formatted is the same platform', () => {
    const part = fc.stringMatching(/^[a-z0-9_.-]{1,12}$/);
    fc.assert(
      fc.property(part, part, fc.option(part, { nil: undefined }), (os, architecture, variant) => {
        const parsed = parsePlatform([os, architecture, ...(variant === undefined ? [] : [variant])].join('/'));
        return matchesPlatform(parsed, parsePlatform(formatPlatform(parsed)));
      }),
    );
  });
});
