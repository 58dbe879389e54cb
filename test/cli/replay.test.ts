// Replay: an older bundle, validly signed, is not loaded over a newer one, and an expired one is not used, unless a flag names
// that. What was loaded is known from the registry, and from this machine where the registry has lost it.
import { readdir, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliOptions, CliResult } from '../support/cli.ts';
import { journey, writes, type Journey } from '../support/journey.ts';
import { randomIndex } from '../support/random-image.ts';
import { artifact } from '../../src/oci/artifact.ts';
import { contentOf } from '../../src/oci/content.ts';
import { Registry } from '../../src/registry/registry.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const RECEIPTS = 'elastic/eck-airgap/receipts';
let site: Journey;

beforeEach(async () => {
  site = await journey({ images: { [KIBANA]: randomIndex('kibana') } });
});
afterEach(() => site.end());

/** A bundle in the folder of its name: each has an image of its own. */
async function build(media: string, ...flags: string[]): Promise<void> {
  await site.publish(KIBANA, randomIndex(media));
  await rm(site.path('airgap.lock.yaml'), { force: true });
  const result = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', media, ...flags);
  expect(result.status).toBe(0);
}

const loadWith = (options: Partial<CliOptions>, media: string, ...flags: string[]): Promise<CliResult> => {
  const to = ['--key', 'airgap.pub', '--registry', `${site.enclave.host}/elastic`];
  return site.runWith(options, 'load', media, ...to, '--json', ...flags);
};
const load = (media: string, ...flags: string[]) => loadWith({}, media, ...flags);
const codeOf = ({ stdout }: CliResult) => (JSON.parse(stdout) as { error?: { code: string } }).error?.code;
const imageThere = async () =>
  (await (await site.enclave.store.repository('elastic/kibana/kibana'))?.manifest('9.5.2'))?.digest;

/** Refused before anything is pushed. */
async function expectRefused(media: string, code: string, ...flags: string[]): Promise<void> {
  site.enclave.forget();
  const refused = await load(media, ...flags);
  expect([refused.status, codeOf(refused)]).toEqual([3, code]);
  expect(writes(site.enclave.requests)).toEqual([]);
}

describe('an older bundle', () => {
  beforeEach(async () => {
    await build('old', '--sequence', '4');
    await build('new', '--sequence', '5');
    expect((await load('new')).status).toBe(0);
  });

  test('is refused before the first byte, in a dry run too, and loaded when --allow-older says so', async () => {
    const before = await imageThere();
    await expectRefused('old', 'BUNDLE_OLDER');
    await expectRefused('old', 'BUNDLE_OLDER', '--dry-run');
    expect(await imageThere()).toBe(before);
    const allowed = await load('old', '--allow-older');
    expect([allowed.status, allowed.stderr]).toEqual([0, expect.stringContaining('Warning:')]);
    expect(await imageThere()).not.toBe(before);
    await expectRefused('old', 'BUNDLE_OLDER'); // what was allowed once is not for ever
    expect((await load('new')).status).toBe(0);
  });

  test('is known by the registry alone: another machine loads', async () => {
    await rm(site.path('.state'), { recursive: true });
    await expectRefused('old', 'BUNDLE_OLDER');
  });

  test('is known by the tag of its receipt, where the moving one was taken back', async () => {
    await rm(site.path('.state'), { recursive: true });
    const receipts = await site.enclave.store.writable(RECEIPTS);
    expect(await receipts.deleteTag('site-alpha')).toBe(true);
    await expectRefused('old', 'BUNDLE_OLDER');
  });

  test('is known by this machine alone: the registry has lost its receipts', async () => {
    const receipts = await site.enclave.store.writable(RECEIPTS);
    for (const tag of await receipts.tags()) await receipts.deleteTag(tag);
    await expectRefused('old', 'BUNDLE_OLDER');
  });

  test('of another name is another bundle, and so is one in another place', async () => {
    await site.writeSpec({ metadata: { name: 'site-beta' } });
    await build('beta', '--sequence', '1');
    expect((await load('beta')).status).toBe(0);
    expect((await load('old', '--registry', `${site.enclave.host}/elsewhere`)).status).toBe(0);
  });
});

describe('a bundle of the same sequence', () => {
  test('and another lock is refused: which is newer cannot be told', async () => {
    await build('one', '--sequence', '5');
    await build('two', '--sequence', '5');
    expect((await load('one')).status).toBe(0);
    await expectRefused('two', 'BUNDLE_OLDER');
    expect((await load('one')).status).toBe(0);
  });

  test('is loaded with a warning while nobody counts, until it was replaced', async () => {
    await build('one');
    await build('two');
    expect((await load('one')).stderr).not.toContain('Warning:');
    expect(await load('two')).toMatchObject({ status: 0, stderr: expect.stringContaining('cannot be told') as string });
    await expectRefused('one', 'BUNDLE_OLDER');
  });
});

describe('what says nothing that can be understood', () => {
  beforeEach(async () => {
    await build('old', '--sequence', '4');
    await build('new', '--sequence', '5');
    expect((await load('new')).status).toBe(0);
  });

  async function replaceReceipt(
    bytes: Buffer,
    mediaType = 'application/vnd.eck-airgap.receipt.v1+json',
  ): Promise<void> {
    const registry = new Registry(site.enclave.host);
    const repository = registry.repository(RECEIPTS);
    const blobs = artifact({ artifactType: mediaType, layer: { name: 'x', mediaType, bytes } });
    for (const blob of blobs) await repository.push(blob.descriptor, contentOf(blob.bytes));
    await repository.tag(blobs[2].descriptor, 'site-alpha');
    await registry.close();
  }

  test.each<[string, Buffer, string?]>([
    ['no JSON', Buffer.from('{')],
    ['another shape', Buffer.from('{"apiVersion":"eck-airgap/v1","kind":"Receipt","bundle":{"name":"site-alpha"}}')],
    ['larger than any receipt', Buffer.alloc(4 * 1024 * 1024 + 1, ' ')],
    ['something else', Buffer.from('{}'), 'application/vnd.example+json'],
  ])('a receipt that is %s is a warning, and hides nothing', async (_what, bytes, mediaType) => {
    await replaceReceipt(bytes, mediaType);
    const again = await load('new');
    expect([again.status, again.stderr]).toEqual([0, expect.stringContaining('cannot be read')]);
    await replaceReceipt(bytes, mediaType);
    await expectRefused('old', 'BUNDLE_OLDER');
  });

  test('a receipt of bundles of another name, or under another type, is none of this one', async () => {
    const receipt = JSON.parse((await site.read('site-alpha.receipt.json')).toString()) as { bundle: object };
    const digest = `sha256:${'a'.repeat(64)}`;
    const later = (more: object) =>
      Buffer.from(JSON.stringify({ ...receipt, bundle: { ...receipt.bundle, sequence: 99, digest, ...more } }));
    await replaceReceipt(later({ name: 'site-beta' }));
    expect(await load('new')).toMatchObject({ status: 0, stderr: expect.not.stringContaining('Warning') as string });
    await replaceReceipt(later({}), 'application/vnd.example+json');
    expect(await load('new')).toMatchObject({ status: 0, stderr: expect.stringContaining('cannot be read') as string });
    await replaceReceipt(later({}));
    await expectRefused('new', 'BUNDLE_OLDER');
  });

  test('a record of this machine that is damaged is a warning, and hides nothing', async () => {
    const folder = ['.state', 'eck-airgap'];
    for (const file of await readdir(site.path(...folder))) await writeFile(site.path(...folder, file), 'damaged');
    expect((await load('old')).stderr).toContain('cannot be read');
    await expectRefused('old', 'BUNDLE_OLDER');
    expect((await load('new')).status).toBe(0); // and writes it anew
    expect((await load('new')).stderr).not.toContain('cannot be read');
  });
});

describe('an expired bundle', () => {
  const inTime = { date: new Date('2030-12-31T23:59:59Z') };
  const late = { date: new Date('2031-01-01T00:00:00Z') };
  beforeEach(() => build('media', '--expires', '2030-12-31'));

  test('is not loaded, in a dry run neither, unless --allow-expired says so', async () => {
    for (const flags of [[], ['--dry-run']]) {
      const refused = await loadWith(late, 'media', ...flags);
      expect([refused.status, codeOf(refused)]).toEqual([3, 'BUNDLE_EXPIRED']);
    }
    expect(site.enclave.requests).toEqual([]);
    expect((await loadWith(inTime, 'media')).status).toBe(0);
    expect((await loadWith(late, 'media', '--allow-expired')).status).toBe(0);
  });

  test('is not served, unless --allow-expired says so', async () => {
    const taken = ['--listen', site.enclave.host]; // so that what is served ends at once, too
    const serve = (...flags: string[]) =>
      site.runWith(late, 'serve', 'media', '--key', 'airgap.pub', ...taken, '--json', ...flags);
    expect(codeOf(await serve())).toBe('BUNDLE_EXPIRED');
    expect(codeOf(await serve('--allow-expired'))).toBe('LISTEN_FAILED');
  });

  test('is said to be so by verify', async () => {
    const verify = async (options: Partial<CliOptions>) =>
      site.runWith(options, 'verify', 'media', '--key', 'airgap.pub', '--json');
    for (const [when, expired] of [
      [late, true],
      [inTime, false],
    ] as const) {
      const { status, stdout, stderr } = await verify(when);
      expect([status, stderr.includes('Warning:')]).toEqual([0, expired]);
      expect(JSON.parse(stdout)).toMatchObject({ expired });
    }
  });
});
