// transfer.html: all that crosses the gap is on it, and nothing on it can be more than text.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { BundleManifest } from '../../../src/bundle/manifest.ts';
import { transferHtml, type TransferFacts } from '../../../src/bundle/transfer/page.ts';
import { STYLE } from '../../../src/bundle/transfer/style.ts';
import { groupedNumber } from '../../../src/core/byte-count.ts';
import { fingerprintGroups } from '../../../src/signing/fingerprint.ts';
import { FACTS, FILES, IMAGES, LOCK, MANIFEST } from '../../support/transfer.ts';

const page = (changes: Partial<TransferFacts> = {}, manifest = MANIFEST) =>
  transferHtml(manifest, { ...FACTS, ...changes });

/** What a browser would show of the markup. */
function textOf(markup: string): string {
  return markup
    .replace(/<style>[^]*?<\/style>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#([0-9]+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, ' ');
}

/** The text of the row of the table that a name begins. */
function rowOf(html: string, name: string): string {
  return textOf(html.split('<tr ').findLast((row) => row.includes(`<span class="name">${name}</span>`)) ?? '');
}

describe('what crosses the gap', () => {
  test('is all there: images, charts, files and media with their digests, and the key', () => {
    const shown = textOf(page());
    const media = [...FACTS.files, ...FACTS.installers];
    const wanted = [
      ...IMAGES.flatMap(({ name, digest }) => [name, digest]),
      ...MANIFEST.files.flatMap(({ name, digest }) => [name, digest]),
      ...media.flatMap(({ path, sha256, size }) => [path, sha256, groupedNumber(size)]),
      ...fingerprintGroups(FACTS.fingerprint),
      FACTS.bundleDigest,
      groupedNumber(media.reduce((sum, { size }) => sum + size, 0)),
    ];
    expect(wanted.filter((text) => !shown.includes(text))).toEqual([]);
  });

  test('has versions, a number, an end, and why each thing is there', () => {
    const shown = textOf(page());
    for (const text of [
      'Elastic Stack 9.5.2',
      '(ECK) 3.5.0',
      'eck-airgap 0.1.0',
      '(sequence) 7',
      '2030-12-31T23:59:59Z',
    ])
      expect(shown).toContain(text);
    expect(rowOf(page(), 'crds.yaml')).toContain('eck-operator 9.5.2: the CRDs of ECK');
    expect(rowOf(page(), 'dashboards.ndjson')).toContain('named in airgap.yaml');
    expect(rowOf(page(), 'airgap.lock.yaml')).toContain('made by this build');
  });

  test('has the size of each image, its own and what it shares, and the sum', () => {
    const kibana = rowOf(page(), 'docker.elastic.co/kibana/kibana:9.5.2');
    expect(kibana).toMatch(/372 MiB own 302 MiB shared 70.0 MiB/);
    expect(textOf(page())).toContain('Together, what is shared counted once 1.55 GiB');
  });
});

describe('what vouches for a thing', () => {
  test('is said in words', () => {
    const html = page();
    expect(rowOf(html, IMAGES[0]?.name ?? '')).toMatch(/Signature \(cosign\) by the key [0-9a-f]{4} /);
    expect(rowOf(html, 'helm.elastic.co/charts/eck-operator:3.5.0')).toContain(
      'Elastic’s published SHA-256, at https://helm',
    );
    expect(rowOf(html, 'GPG-KEY-elasticsearch')).toContain('Elastic’s OpenPGP key, known by its fingerprint 4609 5ACC');
    expect(rowOf(html, 'dashboards.ndjson')).toContain('SHA-256 written in airgap.yaml');
  });

  test('is marked and counted where nothing does', () => {
    const html = page();
    const marked = [...IMAGES, ...FILES].filter(({ name }) => rowOf(html, name).includes('▲ nothing vouches for it'));
    expect(marked.map(({ verified }) => verified)).toEqual(['none', 'none', 'none', 'none']);
    expect(textOf(html)).toContain('Nothing vouches for 4 of the 10 images, charts and files');
  });

  test('is said to be there for all, where it is', () => {
    const verified = { by: 'checksum', from: 'airgap.yaml' } as const;
    const images = LOCK.images.map((image) => ({ ...image, verified }));
    const files = LOCK.files.map((file) => ({ ...file, verified }));
    const html = page({ lock: { ...LOCK, images, files } });
    expect(html).not.toContain('▲');
    expect(textOf(html)).toContain('Something vouches for each of the 10');
  });
});

describe('what changed', () => {
  test('since the bundle that was named: added, updated, removed', () => {
    const shown = textOf(page());
    expect(shown).toContain('1 image added, 1 image changed, 1 file removed. New content: 700 MiB.');
    for (const row of [
      'ours/app:1.0 added',
      'kibana:9.5.2 updated',
      'kibana:9.5.2 vouched for by something else',
      'old-notes.txt removed',
    ])
      expect(shown).toContain(row);
    expect(shown).toContain(`Compared with site-alpha.tar ${FACTS.since?.digest ?? ''}`);
  });

  test('is not known where none was named, and nothing where nothing did', () => {
    expect(textOf(page({ since: undefined }))).toContain('Take everything on this page as new');
    const none = { added: [], removed: [], changed: [] };
    const difference = { same: true, images: none, charts: none, files: none, carry: { bytes: 0, exact: true } };
    const since = { name: 'old', digest: MANIFEST.lock, difference };
    expect(textOf(page({ since }))).toContain('Nothing that has a name has changed');
  });
});

describe('for who signs', () => {
  test('there are names that were given, and lines for the rest', () => {
    const html = page();
    expect(textOf(html)).toMatch(/System Observability, enclave A Date 2026-11-28/);
    expect(textOf(html)).toMatch(/Requested by A. Engineer Approved by S. Officer Carried by Received by/);
    expect(html).not.toContain('class="blank"');
    const empty = page({ handover: {} });
    expect(empty.match(/class="blank"/g)).toHaveLength(2);
    expect(empty).not.toMatch(/20[0-9]{2}-[01][0-9]-[0-3][0-9](?!T23:59:59Z)/);
  });

  test('it says how to check the page itself', () => {
    expect(textOf(page())).toMatch(/trust card.*sha256sum -c SHA256SUMS/);
    expect(textOf(page())).toContain('transfer.html: OK');
  });

  test('it is the same for the same lock and flags', () => {
    expect(page()).toBe(page());
  });
});

describe('the page', () => {
  const EVIL = `"><script>alert('&')</script><img src=x onerror=y>`;
  const forged = (text: string): string => {
    const manifest = {
      ...MANIFEST,
      name: text,
      expires: text,
      files: MANIFEST.files.map((file) => ({ ...file, name: text, digest: text })),
    } as unknown as BundleManifest;
    const verified = { by: 'cosign', key: text } as const;
    const uses = [{ component: text, version: text, why: text }];
    const lock = {
      ...LOCK,
      platforms: [text],
      images: LOCK.images.map((image) => ({ ...image, name: text, from: text, platforms: [text], verified, uses })),
      files: LOCK.files.map((file) => ({
        ...file,
        name: text,
        verified: { by: 'checksum', from: text } as const,
        uses,
      })),
      selection: { ...LOCK.selection!, eck: text, stack: [text] },
    };
    const named = { name: text, digest: text as never };
    const changed = { name: text, changes: { from: { old: text, new: text } } };
    const things = { added: [named], removed: [named], changed: [changed] };
    const difference = { same: false, images: things, charts: things, files: things, carry: { bytes: 1, exact: true } };
    const handover = { system: text, requestedBy: text, approvedBy: text, date: text };
    const media = [{ path: text, size: 1, sha256: text }];
    const more = { files: media, installers: media, fingerprint: text, bundleDigest: text, version: text };
    return transferHtml(manifest, { ...FACTS, ...more, lock, handover, since: { ...named, difference } });
  };

  test('runs no script, loads nothing, and escapes every value', () => {
    const html = forged(EVIL).replace(/<style>[^]*<\/style>/, '');
    expect(html).not.toMatch(/<script|<img|javascript:|<link|url\(|@import|https?:/i);
    expect(html).toContain('&#34;&#62;&#60;script&#62;alert(&#39;&#38;&#39;)');
    expect(html.match(/&#60;script&#62;/g)?.length).toBeGreaterThan(30);
  });

  test('shows characters that cannot be seen, or that reorder what is seen', () => {
    const html = forged('a\u202eb\u0007c\u200bd\u2028e\u00a0f\u3164g\nh');
    const body = html.slice(html.indexOf('<body>'));
    for (const hidden of ['\u202e', '\u0007', '\u200b', '\u2028', '\u00a0', '\u3164'])
      expect(body).not.toContain(hidden);
    for (const shown of ['U+202E', 'U+0007', 'U+200B', 'U+2028', 'U+00A0', 'U+3164', 'U+000A'])
      expect(body).toContain(`<span class="unseen">${shown}</span>`);
    expect(forged('a\u202eb').match(/<title>([^]*)<\/title>/)?.[1]).not.toContain('\u202e');
  });

  test('allows its one style sheet and nothing else', () => {
    const hash = createHash('sha256').update(STYLE).digest('base64');
    expect(page()).toContain(`<style>${STYLE}</style>`);
    expect(page()).toContain(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`);
    expect(page()).not.toMatch(/ style=|<script| on[a-z]+=/);
  });

  test('says what its tables are: captions, heads and scopes; and its language', () => {
    const html = page();
    const count = (what: RegExp): number => html.match(what)?.length ?? 0;
    expect(count(/<table/g)).toBe(6);
    expect(count(/<caption>[^<]+/g)).toBe(6);
    expect(count(/<th(?=[ >])(?![^>]*scope="(?:col|row)")/g)).toBe(0);
    expect(count(/<thead/g)).toBe(6);
    expect(html).toContain('<html lang="en">');
  });

  test('repeats heads and splits no row on paper', () => {
    const print = STYLE.slice(STYLE.indexOf('@media print {\n  :root'));
    expect(print).toContain('thead { display: table-header-group; }');
    expect(print).toMatch(/tr, pre, li \{ break-inside: avoid; \}/);
    expect(STYLE).toContain('counter(page) " of " counter(pages)');
    expect(STYLE).not.toMatch(/size:\s*(?:A4|letter)/i);
  });
});

describe('its colours', () => {
  const palettes = STYLE.match(/--page: [^}]+/g) ?? [];
  const colours = (palette: string): Record<string, string> =>
    Object.fromEntries(
      [...palette.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map(([, name = '', value = '']) => [name, value]),
    );

  test.each(['light', 'dark', 'on paper'].map((name, i) => [name, palettes[i] ?? '']))(
    '%s: text can be read',
    (_name, palette) => {
      const of = colours(palette);
      const pairs = [
        ['text', 'page'],
        ['muted', 'page'],
        ['text', 'panel'],
        ['muted', 'panel'],
        ['good', 'good-panel'],
        ['bad', 'bad-panel'],
        ['bad', 'page'],
      ] as const;
      const poor = pairs.filter(([a, b]) => contrast(of[a] ?? '', of[b] ?? '') < 4.5);
      expect(poor).toEqual([]);
    },
  );

  /** WCAG 2.2. */
  function contrast(a: string, b: string): number {
    const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  }

  function luminance(colour: string): number {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
});
