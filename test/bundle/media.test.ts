// The texts beside a bundle: all that crosses the gap is in them, and nothing in them can be more than text.
import { describe, expect, test } from 'vitest';
import { readmeText, transferHtml, type MediaFacts } from '../../src/bundle/media.ts';
import type { BundleManifest } from '../../src/bundle/manifest.ts';
import { digestOf } from '../../src/core/digest.ts';
import { fingerprintGroups } from '../../src/signing/fingerprint.ts';
import { IMAGE, pack } from '../support/pack.ts';

const { manifest } = pack({ files: { 'eck-operator.tgz': Buffer.from('chart') } });
const fingerprint = digestOf(Buffer.from('a key'));

const signed = { by: 'cosign', key: digestOf(Buffer.from('a key of upstream')) } as const;
const lock: MediaFacts['lock'] = {
  images: manifest.images.map(({ name }) => ({ name, verified: signed })),
  files: manifest.files.map(({ name }) => ({ name, verified: 'none' })),
};

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
  return { files, installers, fingerprint, bundleDigest: digestOf(Buffer.from('bundle.json')), lock };
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

describe('transfer.html', () => {
  test('names every image, file and medium with its digest, and the key', () => {
    const html = transferHtml(manifest, facts(3));
    const wanted = [
      ...manifest.images.flatMap(({ name, digest }) => [name, digest]),
      ...manifest.files.flatMap(({ name, digest }) => [name, digest]),
      ...facts(3).files.flatMap(({ path, sha256, size }) => [path, sha256, `${size}`]),
      ...installers.flatMap(({ path, sha256, size }) => [path, sha256, `${size}`]),
      fingerprint,
      facts(3).bundleDigest,
      'linux/amd64',
    ];
    expect(wanted.filter((text) => !html.includes(text))).toEqual([]);
    expect(html).toContain(`${1000 + 1001 + 1002 + 100 + 101 + 102} bytes in 6 files`);
  });

  test('says what vouched for each image and file, as the lock does', () => {
    const of = (changes: Partial<MediaFacts['lock']>): string[] =>
      cells(transferHtml(manifest, { ...facts(1), lock: { ...lock, ...changes } }), [IMAGE, 'eck-operator.tgz']);
    expect(of({})).toEqual([`cosign ${signed.key}`, 'none']);
    const from = { by: 'checksum', from: 'https://upstream.example/sums' } as const;
    expect(
      of({ images: [{ name: IMAGE, verified: 'none' }], files: [{ name: 'eck-operator.tgz', verified: from }] }),
    ).toEqual(['none', `checksum in ${from.from}`]);
    expect(of({ files: [] })).toEqual([`cosign ${signed.key}`, 'made by the build']);
  });

  test('runs no script, loads nothing, and escapes every value', () => {
    const evil = `"><script>alert('&')</script><img src=x onerror=y>`;
    const forged = {
      ...manifest,
      name: evil,
      images: manifest.images.map((image) => ({ ...image, name: evil, platforms: [evil] })),
      files: manifest.files.map((file) => ({ ...file, name: evil })),
    } as BundleManifest;
    const vouched = [{ name: evil, verified: { by: 'cosign', key: evil } as const }];
    const saying = { fingerprint: evil, bundleDigest: evil, lock: { images: vouched, files: vouched } };
    const html = transferHtml(forged, { ...facts(1), ...saying });
    expect(html).not.toMatch(/<script|<img|javascript:|<link|url\(|@import|https?:/i);
    expect(html).toContain("default-src 'none'");
    expect(html.match(/&#60;script&#62;/g)?.length).toBeGreaterThan(5);
  });

  test('is the same for the same bundle', () => {
    expect(transferHtml(manifest, facts(2))).toBe(transferHtml(manifest, facts(2)));
    expect(transferHtml(manifest, facts(1))).toContain(IMAGE);
  });
});

/** The last cell of the row that each name begins. */
function cells(html: string, names: readonly string[]): string[] {
  return names.map((name) => html.split(`<tr><td>${name}</td>`)[1]?.split('</td></tr>')[0]?.split('<td>').at(-1) ?? '');
}
