import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { parseRegistryAddress, targetNames, targetRepository } from '../../src/install/target-names.ts';
import { thrown } from '../support/thrown.ts';

const image = (name: string, content = name) => ({ name, digest: digestOf(Buffer.from(content)) });

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

describe('target names', () => {
  const elasticsearch = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.2';

  test('repositories are kept below the prefix, as container-registry expects them', () => {
    expect(targetRepository(elasticsearch, { prefix: '' })).toBe('elasticsearch/elasticsearch');
    expect(targetRepository(elasticsearch, { prefix: 'mirror' })).toBe('mirror/elasticsearch/elasticsearch');
  });

  test('or flattened, as container-repository expects them', () => {
    expect(targetRepository(elasticsearch, { prefix: 'mirror', flatten: 'elastic' })).toBe(
      'mirror/elastic/elasticsearch',
    );
  });

  test('two images that flatten to one name are refused, with both named', () => {
    const images = [
      image('docker.elastic.co/support/diagnostics:9.3.1'),
      image('docker.elastic.co/eck/diagnostics:9.3.1'),
    ];
    const error = thrown(() => targetNames(images, { prefix: '', flatten: 'elastic' }));
    expect(error.code).toBe('NAME_COLLISION');
    expect(error.details['target']).toBe('elastic/diagnostics:9.3.1');
    expect(error.details['images']).toEqual(images);
  });

  test('the same image under two hosts is no collision', () => {
    const images = [image('a.example/x/y:1', 'same'), image('b.example/x/y:1', 'same')];
    expect(targetNames(images, { prefix: '' }).map((target) => target.repository)).toEqual(['x/y', 'x/y']);
  });

  test('a name no registry takes is refused before anything is pushed', () => {
    expect(thrown(() => targetRepository(elasticsearch, { prefix: 'a'.repeat(240) })).code).toBe('REFERENCE_INVALID');
    expect(thrown(() => targetRepository(elasticsearch, { prefix: '', flatten: 'Elastic' })).code).toBe(
      'REFERENCE_INVALID',
    );
  });
});
