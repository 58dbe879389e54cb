// A later bundle has a larger number than an earlier one, and the same lock still gives the same bytes.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { journey, type Journey } from '../support/journey.ts';
import { randomIndex } from '../support/random-image.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
let site: Journey;

beforeEach(async () => {
  site = await journey({ images: { [KIBANA]: randomIndex('kibana') } });
});
afterEach(() => site.end());

const build = async (media: string, ...flags: string[]): Promise<{ sequence: number; expires?: string }> => {
  const result = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', media, '--json', ...flags);
  expect(result.status).toBe(0);
  return JSON.parse(result.stdout) as { sequence: number; expires?: string };
};

test('lock counts up when something changed; build takes the number into the bundle', async () => {
  await site.run('lock', 'airgap.yaml');
  expect((await site.readLock()).sequence).toBe(1);
  const before = await site.read('airgap.lock.yaml');
  await site.run('lock', 'airgap.yaml');
  expect(await site.read('airgap.lock.yaml')).toEqual(before);
  expect((await build('one')).sequence).toBe(1);
  await site.publish(KIBANA, randomIndex('kibana, newer'));
  await site.run('lock', 'airgap.yaml');
  expect((await site.readLock()).sequence).toBe(2);
  expect((await build('two')).sequence).toBe(2);
  const verified = await site.run('verify', 'two', '--key', 'airgap.pub', '--json');
  expect(JSON.parse(verified.stdout)).toMatchObject({ sequence: 2 });
  expect((await site.run('inspect', 'two', '--key', 'airgap.pub')).stdout).toContain('sequence 2, never expires');
});

test('the same lock gives the same bytes, whatever SOURCE_DATE_EPOCH is', async () => {
  await site.run('lock', 'airgap.yaml');
  await build('one');
  const again = await site.runWith(
    { env: { SOURCE_DATE_EPOCH: '1767225600' } },
    ...['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'two'],
  );
  expect(again.status).toBe(0);
  expect(await bundleDigest('two')).toBe(await bundleDigest('one'));
});

test('a lock without a number gets SOURCE_DATE_EPOCH, else 0', async () => {
  await site.run('lock', 'airgap.yaml');
  await site.changeLock((lock) => {
    const { sequence, ...rest } = lock;
    expect(sequence).toBe(1);
    return rest;
  });
  expect((await build('one')).sequence).toBe(0);
  const argv = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'two', '--json'];
  const dated = await site.runWith({ env: { SOURCE_DATE_EPOCH: '1767225600' } }, ...argv);
  expect(JSON.parse(dated.stdout)).toMatchObject({ sequence: 1_767_225_600 });
});

test('--sequence and --expires say it', async () => {
  expect(await build('one', '--sequence', '41', '--expires', '2030-12-31')).toMatchObject({
    sequence: 41,
    expires: '2030-12-31T23:59:59Z',
  });
  const shown = await site.run('inspect', 'one', '--key', 'airgap.pub');
  expect(shown.stdout).toContain('sequence 41, expires 2030-12-31T23:59:59Z');
  const refused = [
    ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'two', '--expires', 'tomorrow'],
    ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'two', '--sequence', '9007199254740992'],
    ['lock', 'airgap.yaml', '--sequence', '-1'],
  ];
  for (const argv of refused) expect((await site.run(...argv)).status).toBe(2);
});

test('lock --check compares content, not numbers', async () => {
  await site.run('lock', 'airgap.yaml', '--sequence', '41');
  expect((await site.run('lock', 'airgap.yaml', '--check')).status).toBe(0);
});

async function bundleDigest(media: string): Promise<unknown> {
  const { stdout } = await site.run('inspect', media, '--key', 'airgap.pub', '--json');
  return (JSON.parse(stdout) as { digest: unknown }).digest;
}
