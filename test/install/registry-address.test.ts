import { describe, expect, test } from 'vitest';
import { parseRegistryAddress } from '../../src/install/registry-address.ts';
import { thrown } from '../support/thrown.ts';

describe('registry address', () => {
  test.each([
    ['registry.example', { host: 'registry.example', prefix: '' }],
    ['registry.example:5000', { host: 'registry.example:5000', prefix: '' }],
    ['registry.example/elastic/mirror', { host: 'registry.example', prefix: 'elastic/mirror' }],
    ['registry.example/elastic/', { host: 'registry.example', prefix: 'elastic' }],
    ['[::1]:5000/a', { host: '[::1]:5000', prefix: 'a' }],
    ['localhost', { host: 'localhost', prefix: '' }],
  ])('%s', (text, address) => {
    expect(parseRegistryAddress(text)).toEqual(address);
  });

  test.each([
    'https://registry.example',
    '',
    'registry.example/Upper',
    'registry.example//x',
    'a b',
    'registry.example:99999',
    '../x',
    'registry.example/a:1',
  ])('%j is refused', (text) => {
    expect(thrown(() => parseRegistryAddress(text)).code).toBe('REFERENCE_INVALID');
  });
});
