// A slip of the pen in the keys of airgap.yaml has no effect on what is carried, and so it is refused.
import { describe, expect, test } from 'vitest';
import { requireNamed } from '../../src/build/ignored-images.ts';
import { requireUsedKeys } from '../../src/build/unused-keys.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { thrown } from '../support/thrown.ts';

const HEAD = { apiVersion: 'eck-airgap/v1', kind: 'BundleSpec', metadata: { name: 'site' }, images: ['a.example/b:1'] };
const NAMES = ['docker.elastic.co/elasticsearch/elasticsearch:9.5.2', 'docker.io/library/app:1', 'a.example:5000/b:1'];
const KEY = { key: 'ours.pub' };
const SOURCE = { registry: 'r.example' };

function warnings(asked: object, names = NAMES): string[] {
  const spec = parseSpec(JSON.stringify({ ...HEAD, ...asked }), 'airgap.yaml');
  return requireUsedKeys(spec, { images: names.map((name) => ({ name })), charts: [], files: [] });
}

describe('a key that fits nothing is refused, with the one that was meant', () => {
  test.each([
    [
      'a typing mistake in a demanded signature',
      { signatures: { 'docker.elastic.co/elasticsearh': KEY } },
      'docker.elastic.co/elasticsearch',
    ],
    ['a port that no name has', { signatures: { 'docker.elastic.co:443': KEY } }, 'docker.elastic.co'],
    ['a port that is missing', { sources: { 'a.example': SOURCE } }, 'a.example:5000'],
    [
      'a typing mistake in a source',
      { sources: { 'docker.elastic.co/elasticsearh': SOURCE } },
      'docker.elastic.co/elasticsearch',
    ],
    ['a typing mistake in a mirror', { mirrors: { 'docker.elastc.co': 'https://m.example' } }, 'docker.elastic.co'],
    ['a mirror with a port', { mirrors: { 'docker.elastic.co:443': 'https://m.example' } }, 'docker.elastic.co'],
  ])('%s', (_case, asked, name) => {
    const { code, message } = thrown(() => warnings(asked));
    expect([code, message]).toEqual(['CONFIG_INVALID', expect.stringContaining(`did you mean "${name}"?`)]);
  });

  test.each([
    ['a signature for nothing', { signatures: { 'other.example/x': KEY } }],
    ['a source for nothing', { sources: { 'other.example/x': SOURCE } }],
  ])('%s, where nothing is near', (_case, asked) => {
    expect(thrown(() => warnings(asked)).code).toBe('CONFIG_INVALID');
  });

  test('all of them are named at once', () => {
    const error = thrown(() => warnings({ signatures: { 'x.example': KEY }, sources: { 'y.example': SOURCE } }));
    expect(error.details['faults']).toHaveLength(2);
  });
});

describe('a key is compared as hosts are', () => {
  test.each(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'Docker.IO'])('%s is Docker Hub', (host) => {
    const mirrors = { [host]: 'https://m.example' };
    expect(warnings({ mirrors, signatures: { [host]: KEY }, sources: { [`${host}/library`]: SOURCE } })).toEqual([]);
    expect(parseSpec(JSON.stringify({ ...HEAD, mirrors }), 'a').mirrors).toEqual({ 'docker.io': 'https://m.example' });
  });

  test('without case', () => {
    expect(warnings({ signatures: { 'Docker.Elastic.co': KEY }, sources: { 'DOCKER.elastic.co': SOURCE } })).toEqual(
      [],
    );
    expect(parseSpec(JSON.stringify({ ...HEAD, images: ['A.Example/b:1'] }), 'a').images).toEqual(['a.example/b:1']);
  });

  test('with a note of how it is taken, where it is written in another way', () => {
    const notes: string[] = [];
    const asked = { ...HEAD, sources: { 'Docker.Elastic.co': SOURCE }, mirrors: { 'docker.io': 'https://m.example' } };
    parseSpec(JSON.stringify(asked), 'a', (note) => notes.push(note));
    expect(notes).toEqual([expect.stringContaining('sources.Docker.Elastic.co is taken as docker.elastic.co')]);
  });

  test('two keys that are then the same are refused', () => {
    const asked = { ...HEAD, mirrors: { 'docker.io': 'https://a.example', 'index.docker.io': 'https://b.example' } };
    expect(thrown(() => parseSpec(JSON.stringify(asked), 'a')).code).toBe('CONFIG_INVALID');
  });
});

test("Elastic's hosts may have mirrors that today's choice does not need; others are warned of", () => {
  const mirrors = { 'github.com': 'https://m.example', 'elsewhere.example': 'https://m.example' };
  expect(warnings({ mirrors })).toEqual([expect.stringContaining('elsewhere.example')]);
});

test('Iron Bank with the path that its layout adds is pointed at', () => {
  const sources = { 'docker.elastic.co': { registry: 'registry1.dso.mil/ironbank', layout: 'iron-bank' } };
  const { message } = thrown(() => parseSpec(JSON.stringify({ ...HEAD, sources }), 'airgap.yaml'));
  expect(message).toContain('write registry1.dso.mil');
});

test('an image to ignore that is not named there is refused', () => {
  const named = ['docker.io/library/app:1'];
  expect(() => requireNamed(['app:1'], named, 'pod.yaml')).not.toThrow();
  const { code, message } = thrown(() => requireNamed(['ap:1'], named, 'pod.yaml'));
  expect([code, message]).toEqual([
    'CONFIG_INVALID',
    expect.stringContaining('did you mean "docker.io/library/app:1"?'),
  ]);
});
