// `lock --check` end to end: what upstream has changed since the lock was made, and nothing written.
import { rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LockCheck } from '../../src/build/check-lock.ts';
import { encodeLock, parseLock } from '../../src/bundle/lock.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { cosignTags } from '../../src/oci/referrer-tags.ts';
import type { CliResult } from '../support/cli.ts';
import { journey, type Journey } from '../support/journey.ts';
import { cosignSignature, randomImage, randomIndex } from '../support/random-image.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const ELASTICSEARCH = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.2';

let site: Journey;
let locked: Buffer;
beforeEach(async () => {
  site = await journey();
  await writeFile(site.path('notes.txt'), 'as they were');
  await site.writeSpec({ files: [{ path: 'notes.txt' }] });
  expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
  locked = await site.read('airgap.lock.yaml');
});
afterEach(() => site.end());

const check = (...more: string[]) => site.run('lock', 'airgap.yaml', '--check', ...more);

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details: Pick<LockCheck, 'same' | 'carry' | 'gone'> & {
    readonly differences: Pick<LockCheck, 'images' | 'files'> & { readonly artifacts: LockCheck['charts'] };
  };
}

/** What it says as a table and as JSON; the lock is left as it was. */
async function changes(): Promise<{ shown: CliResult; error: Failure }> {
  const shown = await check();
  expect(shown.status).toBe(1);
  expect(shown.stderr).toContain('[UPSTREAM_CHANGED]');
  const json = await check('--json');
  expect(json.status).toBe(1);
  const { error } = JSON.parse(json.stdout) as { error: Failure };
  expect(error.code).toBe('UPSTREAM_CHANGED');
  expect(await site.read('airgap.lock.yaml')).toEqual(locked);
  return { shown, error };
}

async function removeTag(name: string): Promise<void> {
  const { repository, tag = '' } = parseReference(name);
  await (await site.upstream.store.writable(repository)).deleteTag(tag);
}

describe('nothing changed', () => {
  test('is exit 0, one document, and no lock written', async () => {
    const shown = await check();
    expect(shown.status).toBe(0);
    expect(shown.stdout).toContain('nothing has changed since');
    expect(shown.events).not.toContainEqual({ type: 'step', step: 'lock:written' });
    const { status, stdout } = await check('--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ same: true, gone: [], carry: { bytes: 0, exact: true } });
    expect(await site.read('airgap.lock.yaml')).toEqual(locked);
  });
});

describe('a change', () => {
  test('of a tag shows both digests and the bytes to carry, then fails', async () => {
    await site.publish(KIBANA, randomIndex('rebuilt'));
    const { shown, error } = await changes();
    const [was, is] = ['kibana', 'rebuilt'].map((seed) => randomImage(`${seed}/linux/amd64`));
    expect(shown.stdout).toMatch(
      new RegExp(`^${KIBANA} +digest +${was?.root.digest ?? ''} +${is?.root.digest ?? ''}$`, 'm'),
    );
    expect(shown.stdout).not.toContain(ELASTICSEARCH);
    const { bytes, exact } = error.details.carry;
    const size = is?.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0) ?? 0;
    expect({ bytes, exact }).toEqual({ bytes: size + randomIndex('rebuilt').root.size, exact: true });
    expect(error.message).toContain('1 image changed');
    expect(error.hint).toContain('eck-airgap lock');
    expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
    expect((await check()).status).toBe(0);
  });

  test('of another platform of an index is one of the index alone', async () => {
    const platforms = ['linux/amd64', 'linux/arm64', 'linux/s390x'];
    await site.publish(KIBANA, randomIndex('kibana', { platforms }));
    const { shown, error } = await changes();
    expect(shown.stdout).toMatch(new RegExp(`^${KIBANA} +original `, 'm'));
    expect(Object.keys(error.details.differences.images.changed[0]?.changes ?? {})).toEqual(['original']);
  });

  test('of the signatures of an image is one', async () => {
    const { root } = randomIndex('kibana');
    const signature = cosignSignature(root);
    await site.publish(KIBANA.replace('9.5.2', cosignTags(root.digest)[0] ?? ''), signature);
    const { shown } = await changes();
    expect(shown.stdout).toMatch(new RegExp(`^${KIBANA} +accompanying +- +${signature.root.digest}$`, 'm'));
  });

  test('of a local file is one', async () => {
    await writeFile(site.path('notes.txt'), 'other notes');
    expect((await changes()).error.details.differences.files.changed).toMatchObject([{ name: 'notes.txt' }]);
  });
});

describe('what is gone', () => {
  test('is named, all of it, beside what changed', async () => {
    const [third, fourth] = ['docker.elastic.co/apm/apm-server:9.5.2', 'docker.elastic.co/beats/filebeat:9.5.2'];
    for (const name of [third, fourth]) await site.publish(name, randomIndex(name));
    await site.writeSpec({ images: [...site.images, third, fourth] });
    await site.run('lock', 'airgap.yaml');
    locked = await site.read('airgap.lock.yaml');
    await removeTag(third);
    await removeTag(ELASTICSEARCH);
    await site.publish(KIBANA, randomIndex('rebuilt'));
    const { shown, error } = await changes();
    expect(error.details.gone).toMatchObject([
      { name: third, code: 'CONTENT_MISSING' },
      { name: ELASTICSEARCH, code: 'CONTENT_MISSING' },
    ]);
    expect(error.details.differences.images.removed.map(({ name }) => name)).toEqual([third, ELASTICSEARCH]);
    expect(error.details.differences.images.changed).toMatchObject([{ name: KIBANA }]);
    expect(error.message).toContain('2 images removed, 1 image changed');
    for (const name of [third, ELASTICSEARCH]) expect(shown.stdout).toContain(`gone: ${name}: `);
    expect(shown.stdout).not.toContain(fourth);
  });

  test('may be one platform', async () => {
    await site.publish(KIBANA, randomIndex('kibana', { platforms: ['linux/arm64', 'linux/s390x'] }));
    const { error } = await changes();
    expect(error.details.gone).toMatchObject([{ name: KIBANA, code: 'PLATFORM_MISSING' }]);
  });

  test('and was never locked is a failure, as it is for lock', async () => {
    const lock = parseLock(locked.toString(), 'lock');
    const lacking = encodeLock({ ...lock, images: lock.images.filter(({ name }) => name !== KIBANA) });
    await writeFile(site.path('airgap.lock.yaml'), lacking);
    expect((await check()).stdout).toMatch(new RegExp(`^${KIBANA} +added `, 'm'));
    await removeTag(KIBANA);
    const { status, stderr } = await check();
    expect(status).toBe(4);
    expect(stderr).toContain('[CONTENT_MISSING]');
  });

  test('is not what a registry that does not answer has', async () => {
    await site.upstream.server.close();
    const { status, stderr } = await check('--retries', '0');
    expect(status).toBe(1);
    expect(stderr).toContain('[REGISTRY_UNREACHABLE]');
  });
});

test('without a lock, or with one that was made for something else, upstream is not asked', async () => {
  await site.writeSpec({ platforms: ['linux/arm64'] });
  site.upstream.forget();
  const stale = await check('--json');
  expect(stale.status).toBe(2);
  expect(JSON.parse(stale.stdout)).toMatchObject({ error: { code: 'LOCK_STALE' } });
  await rm(site.path('airgap.lock.yaml'));
  const absent = await check('--json');
  expect(absent.status).toBe(2);
  expect(JSON.parse(absent.stdout)).toMatchObject({ error: { code: 'FILE_NOT_FOUND' } });
  expect(absent.stderr).toContain('eck-airgap lock ');
  expect(site.upstream.requests).toEqual([]);
});
