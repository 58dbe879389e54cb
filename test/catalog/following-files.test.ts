// Which files a choice brings with it, as a table of choices.
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import type { SigningKey } from '../../src/catalog/components.ts';
import { filesFor, type FilesForOptions } from '../../src/catalog/following-files.ts';
import { thrown } from '../support/thrown.ts';

const GITHUB = 'https://github.com/elastic/eck-diagnostics/releases/download';
const ALWAYS = ['eck-3.5.0-crds.yaml', 'eck-3.5.0-operator.yaml', 'GPG-KEY-elasticsearch'];

function files(choice: { eck?: string; diagnostics?: string }, options: Partial<FilesForOptions> = {}) {
  const context = { catalogue: builtInCatalogue, platforms: ['linux/amd64'], ...options };
  return filesFor({ eck: '3.5.0', ...choice }, context);
}

describe('files that follow', () => {
  test.each<[string, string | undefined, FilesForOptions['platforms'], readonly string[]]>([
    ['the operator alone', undefined, ['linux/amd64'], []],
    ['no programs without diagnostics', undefined, 'all', []],
    ['diagnostics', '1.11.0', ['linux/amd64'], ['_Linux_x86_64.tar.gz', '_checksums.txt']],
    [
      'two platforms',
      '1.11.0',
      ['linux/arm64', 'windows/amd64'],
      ['_Linux_arm64.tar.gz', '_Windows_x86_64.tar.gz', '_checksums.txt'],
    ],
    ['all platforms', '1.10.0', 'all', ['_Linux_x86_64.tar.gz', '_Linux_arm64.tar.gz', '_checksums.txt']],
    ['two variants of one', '1.11.0', ['linux/amd64', 'linux/amd64/v3'], ['_Linux_x86_64.tar.gz', '_checksums.txt']],
    ['platforms without a build', '1.11.0', ['linux/s390x', 'linux/constructor'], []],
  ])('%s', (_what, diagnostics, platforms, programs) => {
    const found = files(diagnostics === undefined ? {} : { diagnostics }, { platforms }).map(({ name }) => name);
    const expected = programs.map((end) => `eck-diagnostics_${diagnostics ?? ''}${end}`);
    expect(found).toEqual([...ALWAYS.slice(0, 2), ...expected, ...ALWAYS.slice(2)]);
  });

  test('say where they are, what vouches for them, and what they are there for', () => {
    const byName = new Map(files({ diagnostics: '1.11.0' }).map((file) => [file.name, file]));
    expect(byName.get('eck-3.5.0-crds.yaml')).toEqual({
      name: 'eck-3.5.0-crds.yaml',
      kind: 'manifest',
      url: 'https://download.elastic.co/downloads/eck/3.5.0/crds.yaml',
      use: { component: 'eck-operator', version: '3.5.0', why: 'installs the CRDs of ECK' },
      neededBy: 'ECK 3.5.0',
    });
    expect(byName.get('eck-diagnostics_1.11.0_Linux_x86_64.tar.gz')).toMatchObject({
      url: `${GITHUB}/1.11.0/eck-diagnostics_1.11.0_Linux_x86_64.tar.gz`,
      checksums: byName.get('eck-diagnostics_1.11.0_checksums.txt')?.url,
      use: { component: 'eck-diagnostics', version: '1.11.0' },
    });
    expect(byName.get('GPG-KEY-elasticsearch')).toMatchObject({
      url: 'https://artifacts.elastic.co/GPG-KEY-elasticsearch',
      fingerprint: builtInCatalogue.signingKeys[0]?.fingerprint,
    });
  });

  test('follow the keys of the catalogue', () => {
    const signingKeys: SigningKey[] = [
      { name: 'other.asc', fingerprint: 'A'.repeat(40), url: 'https://keys.example/other.asc' },
    ];
    const keys = files({}, { catalogue: { ...builtInCatalogue, signingKeys } }).filter(({ kind }) => kind === 'key');
    expect(keys).toMatchObject(signingKeys);
  });

  test('are of versions alone', () => {
    expect(thrown(() => files({ eck: '../3.5.0' })).code).toBe('VERSION_INVALID');
    expect(thrown(() => files({ diagnostics: '1/2' })).code).toBe('VERSION_INVALID');
  });
});
