// README.txt beside a bundle.
import { describe, expect, test } from 'vitest';
import { readmeText, type MediaFacts } from '../../src/bundle/media.ts';
import { digestOf } from '../../src/core/digest.ts';
import { fingerprintGroups } from '../../src/signing/fingerprint.ts';
import { pack } from '../support/pack.ts';

const { manifest } = pack({ files: { 'eck-operator.tgz': Buffer.from('chart') } });
const fingerprint = digestOf(Buffer.from('a key'));

const installers = ['eck-airgap-linux-arm64', 'eck-airgap-linux-x64', 'eck-airgap-win-x64.exe'].map((path, i) => ({
  path,
  size: 100 + i,
  sha256: `${i}`.repeat(64),
}));

function facts(count: number): MediaFacts {
  const files = Array.from({ length: count }, (_, i) => ({
    path: count === 1 ? 'site.tar' : `site.tar.${String(i + 1).padStart(3, '0')}`,
    size: 1000 + i,
    sha256: digestOf(Buffer.from(`${i}`)).slice('sha256:'.length),
  }));
  return { files, installers, fingerprint, bundleDigest: digestOf(Buffer.from('bundle.json')) };
}

describe('README.txt', () => {
  test('begins with the trust card, whose checked copy is what is installed', () => {
    const text = readmeText(manifest, facts(1));
    const steps = [
      'install -m 755 "$work/eck-airgap-linux-arm64"',
      'install -m 755 "$work/eck-airgap-linux-x64"',
      'eck-airgap verify',
      '--dry-run',
      'eck-airgap serve',
    ].map((step) => text.indexOf(step));
    expect(steps.every((at, i) => at > (steps[i - 1] ?? 0))).toBe(true);
  });

  test('says so where there is no installer', () => {
    const text = readmeText(manifest, { ...facts(1), installers: [] });
    expect(text).toContain('holds no program for Linux');
    expect(text).not.toContain('install -m');
  });

  test('says who signed, in the groups of the trust card', () => {
    const text = readmeText(manifest, facts(1));
    for (const group of fingerprintGroups(fingerprint)) expect(text).toContain(group);
  });

  test('has lines that fit a terminal, and is ASCII', () => {
    for (const count of [1, 2, 1200]) {
      const text = readmeText(manifest, facts(count));
      expect(text).toMatch(/^[\x20-\x7e\n]*$/);
      expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
    }
  });

  test('joins volumes by a glob only where a glob sorts them rightly', () => {
    expect(readmeText(manifest, facts(1))).not.toContain('cat ');
    expect(readmeText(manifest, facts(999))).toContain('cat site.tar.*');
    expect(readmeText(manifest, facts(1000))).not.toContain('cat ');
  });
});
