import { describe, expect, test } from 'vitest';
import {
  charts,
  eckDiagnosticsArchives,
  operatorManifests,
  signingKeys,
  stackChartVersions,
} from '../../src/catalog/files.ts';
import { thrown } from '../support/thrown.ts';

describe('the files of a release of ECK', () => {
  test('are its manifests', () => {
    expect(operatorManifests('3.5.0').map(({ url }) => url)).toEqual([
      'https://download.elastic.co/downloads/eck/3.5.0/crds.yaml',
      'https://download.elastic.co/downloads/eck/3.5.0/operator.yaml',
    ]);
  });

  test('are charts, of which eck-stack counts on its own', () => {
    expect(charts('3.3.2').map(({ name, version }) => `${name} ${version}`)).toEqual([
      'eck-operator 3.3.2',
      'eck-operator-crds 3.3.2',
      'eck-stack 0.18.1',
    ]);
    expect(charts('3.5.0')[2]?.repository).toBe('https://helm.elastic.co');
  });

  test('lack eck-stack where no table knows it, unless it is told', () => {
    expect(charts('3.6.0').map(({ name }) => name)).toEqual(['eck-operator', 'eck-operator-crds']);
    expect(charts('3.6.0', '0.21.0')[2]?.version).toBe('0.21.0');
  });

  test('are addresses for versions alone', () => {
    for (const make of [operatorManifests, charts]) expect(thrown(() => make('../3.5.0')).code).toBe('VERSION_INVALID');
    expect(thrown(() => eckDiagnosticsArchives('1/2', [])).code).toBe('VERSION_INVALID');
  });

  test('keep eck-stack in the order of ECK', () => {
    const versions = Object.values(stackChartVersions);
    expect(versions).toEqual([...versions].sort());
  });
});

describe('eck-diagnostics', () => {
  test('is an archive for each system and machine, with sums beside it', () => {
    const platforms = [
      'linux/amd64',
      'linux/arm64',
      'windows/amd64',
      'darwin/arm64',
      'plan9/amd64',
      'linux/s390x',
      'linux',
    ];
    const archives = eckDiagnosticsArchives('1.11.0', platforms);
    expect(archives.map(({ name }) => name)).toEqual([
      'eck-diagnostics_1.11.0_Linux_x86_64.tar.gz',
      'eck-diagnostics_1.11.0_Linux_arm64.tar.gz',
      'eck-diagnostics_1.11.0_Windows_x86_64.tar.gz',
      'eck-diagnostics_1.11.0_Darwin_arm64.tar.gz',
    ]);
    const base = 'https://github.com/elastic/eck-diagnostics/releases/download/1.11.0';
    expect(archives[0]).toMatchObject({ url: `${base}/${archives[0]!.name}`, checksums: `${base}/checksums.txt` });
  });
});

test('keys are pinned by whole fingerprints', () => {
  for (const { fingerprint } of signingKeys) expect(fingerprint).toMatch(/^[0-9A-F]{40}$/);
});
