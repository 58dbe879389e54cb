// What airgap.yaml wants as files, as a table; nothing is read.
import { describe, expect, test } from 'vitest';
import { wantedFiles } from '../../../src/build/files/wanted-files.ts';
import { wantedBySpec } from '../../../src/build/wanted-by-spec.ts';
import { parseSpec } from '../../../src/bundle/spec.ts';
import { thrown } from '../../support/thrown.ts';

const HEAD = { apiVersion: 'eck-airgap/v1', kind: 'BundleSpec', metadata: { name: 'site' } };
const DIGEST = `sha256:${'a'.repeat(64)}`;

function wanted(asked: { files?: readonly object[]; elastic?: object }) {
  const images = asked.elastic === undefined ? ['nginx:1'] : [];
  const spec = parseSpec(JSON.stringify({ ...HEAD, images, ...asked }), 'airgap.yaml');
  return wantedFiles(spec, wantedBySpec(spec, {}).selection);
}

describe('files of airgap.yaml', () => {
  test.each<[string, object, object]>([
    ['a path', { path: 'docs/notes.txt' }, { name: 'notes.txt', path: 'docs/notes.txt' }],
    [
      'a URL',
      { url: 'https://a.example/x/notes.txt?v=1' },
      { name: 'notes.txt', url: 'https://a.example/x/notes.txt?v=1' },
    ],
    ['a name', { path: 'a file', name: 'a-file' }, { name: 'a-file', path: 'a file' }],
    ['a digest', { path: 'a', digest: DIGEST }, { digest: DIGEST }],
    [
      'images to ignore',
      { path: 'a', ignoreImages: ['busybox'] },
      { ignoreImages: ['docker.io/library/busybox:latest'] },
    ],
  ])('are taken with %s', (_what, file, expected) => {
    const [found, ...more] = wanted({ files: [file] });
    expect(found).toMatchObject({ kind: 'own', neededBy: 'airgap.yaml', ...expected });
    expect(found).not.toHaveProperty('use');
    expect(more).toEqual([]);
  });

  test('come after those that follow from elastic, and the licence', () => {
    const found = wanted({ elastic: { eck: '3.5.0', licence: 'secret/ours.json' }, files: [{ path: 'a' }] });
    expect(found.map(({ name }) => name)).toEqual([
      'eck-3.5.0-crds.yaml',
      'eck-3.5.0-operator.yaml',
      'GPG-KEY-elasticsearch',
      'licence.json',
      'a',
    ]);
    expect(found[3]).toMatchObject({ path: 'secret/ours.json', use: { component: 'eck-operator', version: '3.5.0' } });
  });
});

describe('refused are', () => {
  const elastic = { eck: '3.5.0', licence: 'ours.json' };
  test.each<[string, object, RegExp]>([
    ['two of one name', { files: [{ path: 'x/a' }, { path: 'y/a' }] }, /named a: x\/a and y\/a$/],
    ['two of one derived name', { files: [{ path: 'a' }, { url: 'https://h.example/b/a' }] }, /named a: a and https:/],
    ['the name of one that follows', { elastic, files: [{ path: 'eck-3.5.0-crds.yaml' }] }, /named eck-3\.5\.0-crds/],
    ['the name of the licence', { elastic, files: [{ path: 'licence.json' }] }, /ours\.json and licence\.json$/],
    ['the name of the lock', { files: [{ path: 'a', name: 'airgap.lock.yaml' }] }, /^airgap\.lock\.yaml is the name/],
    ['the bill of materials', { files: [{ path: 'x/sbom.cdx.json' }] }, /^sbom\.cdx\.json is the name/],
    [
      'the provenance',
      { files: [{ url: 'https://h.example/provenance.intoto.json' }] },
      /^provenance\.intoto\.json is/,
    ],
    ['a path that is no name', { files: [{ path: 'my notes.txt' }] }, /^my notes\.txt: "my notes\.txt" cannot name/],
    [
      'a URL without a last part',
      { files: [{ url: 'https://h.example/' }] },
      /^https:\/\/h\.example\/: "" cannot name/,
    ],
  ])('%s', (_what, asked, message) => {
    const error = thrown(() => wanted(asked));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(message);
    expect(error.hint).toBeDefined();
  });
});
