// transfer.html as build writes it: what flags and airgap.yaml say of the transfer, and what it is compared with.
import { copyFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { journey, type Journey } from '../support/journey.ts';
import { randomIndex } from '../support/random-image.ts';

let site: Journey;
beforeEach(async () => {
  site = await journey();
});
afterEach(() => site.end());

const build = (...more: string[]) => site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', ...more);
const page = async (media = 'media') => (await site.read(media, 'transfer.html')).toString();
const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';

async function built(...more: string[]): Promise<string> {
  const result = await build(...more);
  expect([result.status, result.status === 0 ? '' : result.stderr]).toEqual([0, '']);
  return page();
}

describe('names and the day', () => {
  const metadata = { name: 'site-alpha', system: 'Enclave A', requestedBy: 'A. Engineer', approvedBy: 'S. Officer' };

  test('come from airgap.yaml, and do not change the lock', async () => {
    await site.run('lock', 'airgap.yaml');
    const lock = await site.read('airgap.lock.yaml');
    await site.writeSpec({ metadata });
    const html = await built();
    for (const name of ['Enclave A', 'A. Engineer', 'S. Officer']) expect(html).toContain(`<bdi>${name}</bdi>`);
    expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
    expect(await site.read('airgap.lock.yaml')).toEqual(lock);
  });

  test('of flags go before those of airgap.yaml', async () => {
    await site.writeSpec({ metadata });
    const html = await built(
      '--system',
      'Enclave B',
      '--requested-by',
      'B.',
      '--approved-by',
      'C.',
      '--date',
      '2026-12-24',
    );
    for (const name of ['Enclave B', 'B.', 'C.', '2026-12-24']) expect(html).toContain(`<bdi>${name}</bdi>`);
    expect(html).not.toContain('Enclave A');
  });

  test('that nobody gave are lines to fill in, and the day is never that of the clock', async () => {
    const html = await built();
    expect(html.match(/class="blank"/g)).toHaveLength(2);
    expect(html).not.toContain(String(new Date().getUTCFullYear()));
  });

  test('the day comes from SOURCE_DATE_EPOCH', async () => {
    const argv = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media'];
    await site.runWith({ env: { SOURCE_DATE_EPOCH: '1798675200' } }, ...argv);
    expect(await page()).toContain('<bdi>2026-12-31</bdi>');
  });

  test.each(['2026-02-30', 'tomorrow', '2026-1-1'])('--date %s is refused', async (date) => {
    const result = await build('--date', date);
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('[USAGE]');
  });

  test('are the same bytes for the same lock and flags, but for the sum of what holds the signature', async () => {
    const withoutSum = (html: string) => html.replace(/(site-alpha\.tar<[^]*?class="digest">)[0-9a-f]{64}/, '$1');
    const flags = ['--date', '2026-12-24', '--system', 'A'];
    const first = await built(...flags);
    await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'again', ...flags);
    expect(withoutSum(await page('again'))).toBe(withoutSum(first));
  });
});

describe('--since', () => {
  async function change(): Promise<void> {
    await built();
    await copyFile(site.path('airgap.lock.yaml'), site.path('old.lock.yaml'));
    await site.publish(KIBANA, randomIndex('a newer kibana'));
    await site.run('lock', 'airgap.yaml');
  }

  test.each([
    ['a lock', 'old.lock.yaml'],
    ['a media folder', 'media'],
    ['a bundle', 'media/site-alpha.tar'],
  ])('%s: the page says what was updated', async (_case, since) => {
    await change();
    const argv = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'new', '--since', since];
    expect((await site.run(...argv)).status).toBe(0);
    const html = await page('new');
    expect(html).toContain('1 image changed');
    expect(html).toMatch(/kibana:9\.5\.2<\/span><\/th>\s*<td[^>]*>updated/);
    expect(html).toContain(`Compared with <bdi>${since.split('/').at(-1) ?? ''}</bdi>`);
  });

  test('a bundle by another key is not believed', async () => {
    await change();
    await writeFile(site.path('other.key'), generateKeyPair().privatePem, { mode: 0o600 });
    const argv = ['build', 'airgap.yaml', '--key', 'other.key', '--out', 'new', '--since', 'media'];
    const result = await site.run(...argv);
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('[SIGNATURE_INVALID]');
    expect(result.stderr).toContain('name the lock');
  });
});

test('what is shared by images is counted once', async () => {
  const shared = randomIndex('elasticsearch', { attestations: true });
  await site.publish(KIBANA, shared);
  const html = await built();
  const sizes = [
    ...html.matchAll(/own ([0-9.]+ [KMG]?i?B)<\/span>\s*<span class="small">shared ([0-9.]+ [KMG]?i?B)</g),
  ];
  expect(sizes).toHaveLength(2);
  for (const [, own, both] of sizes) {
    expect(own).toBe('0 B');
    expect(both).not.toBe('0 B');
  }
});
