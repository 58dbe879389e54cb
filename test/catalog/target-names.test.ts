import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { nameImages, targetNames, targetRepositories } from '../../src/catalog/target-names.ts';
import { thrown } from '../support/thrown.ts';

const image = (name: string, content = name) => ({ name, digest: digestOf(Buffer.from(content)) });

describe('target names', () => {
  const elasticsearch = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.2';

  test('repositories are kept below the prefix, as container-registry expects them', () => {
    expect(targetRepositories(elasticsearch, { prefix: '' })).toEqual(['elasticsearch/elasticsearch']);
    expect(targetRepositories(elasticsearch, { prefix: 'mirror' })).toEqual(['mirror/elasticsearch/elasticsearch']);
  });

  test('or flattened, as container-repository expects them', () => {
    expect(targetRepositories(elasticsearch, { prefix: 'mirror', flatten: 'elastic' })).toEqual([
      'mirror/elastic/elasticsearch',
    ]);
  });

  test('a flattened package registry is at its own path too, where ECK looks for it', () => {
    const name = 'docker.elastic.co/package-registry/distribution:lite-9.5.2';
    expect(targetRepositories(name, { prefix: 'mirror' })).toEqual(['mirror/package-registry/distribution']);
    const flattened = targetNames([image(name)], { prefix: 'mirror', flatten: 'elastic' });
    expect(flattened.map(({ repository, tag }) => `${repository}:${tag}`)).toEqual([
      'mirror/elastic/distribution:lite-9.5.2',
      'mirror/package-registry/distribution:lite-9.5.2',
    ]);
    expect(targetRepositories(name, { prefix: '', flatten: 'package-registry' })).toEqual([
      'package-registry/distribution',
    ]);
  });

  test('every collision is told where none is an error', () => {
    const versions = ['9.3.1', '9.4.1'];
    const images = ['support', 'eck', 'other'].flatMap((group) =>
      versions.map((version) => image(`docker.elastic.co/${group}/diagnostics:${version}`)),
    );
    const { collisions } = nameImages(images, { prefix: '', flatten: 'elastic' });
    expect(
      collisions.map(({ target, images: both }) => [target, ...both.map(({ name }) => name.split('/')[1])]),
    ).toEqual(
      ['eck', 'other'].flatMap((group) =>
        versions.map((version) => [`elastic/diagnostics:${version}`, 'support', group]),
      ),
    );
    expect(nameImages(images, { prefix: '' }).collisions).toEqual([]);
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
    expect(thrown(() => targetRepositories(elasticsearch, { prefix: 'a'.repeat(240) })).code).toBe('REFERENCE_INVALID');
    expect(thrown(() => targetRepositories(elasticsearch, { prefix: '', flatten: 'Elastic' })).code).toBe(
      'REFERENCE_INVALID',
    );
  });
});
