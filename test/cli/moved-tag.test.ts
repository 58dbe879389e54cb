// A tag that moves, or goes, between `lock` and `build`: what matters is whether the locked digest is still served.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Digest } from '../../src/core/digest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { journey, type Journey } from '../support/journey.ts';
import { randomImage, randomIndex } from '../support/random-image.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const LOCKED = randomIndex('kibana').root.digest;

let site: Journey;
beforeEach(async () => {
  site = await journey();
  expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
});
afterEach(() => site.end());

/** By default with a cache that `lock` left nothing in. */
const build = (cache = 'empty') =>
  site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--json', '--cache', cache);

/** The registry forgets a manifest, and what tags it has. */
async function forget(digest: Digest): Promise<void> {
  const { repository } = parseReference(KIBANA);
  expect(await (await site.upstream.store.writable(repository)).deleteManifest(digest)).toBe(true);
}

interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

async function failure(status: number, cache?: string): Promise<Failure['error']> {
  const result = await build(cache);
  expect(result.status).toBe(status);
  const { error } = JSON.parse(result.stdout) as Failure;
  expect(error.message).toContain(KIBANA);
  return error;
}

describe('a tag that moved', () => {
  const rebuilt = randomIndex('rebuilt');
  beforeEach(() => site.publish(KIBANA, rebuilt));

  test('does not matter while the locked digest is served', async () => {
    site.upstream.forget();
    expect((await build()).status).toBe(0);
    expect(site.upstream.requests.filter(({ path }) => path.endsWith('/manifests/9.5.2'))).toEqual([]);
  });

  test.each([
    ['index', LOCKED],
    ['image of the index', randomImage('kibana/linux/amd64').root.digest],
  ])('is what a missing %s is explained by', async (_what, digest) => {
    await forget(digest);
    const error = await failure(1);
    expect(error.code).toBe('UPSTREAM_CHANGED');
    expect(error.message).toContain(`${KIBANA} names ${rebuilt.root.digest} now`);
    expect(error.message).toContain(LOCKED);
    expect(error.hint).toContain('eck-airgap lock --check');
  });

  test('is what missing layers are explained by, where the cache of the lock has the manifests', async () => {
    const { repository } = parseReference(KIBANA);
    const store = await site.upstream.store.writable(repository);
    for (const { descriptor } of randomImage('kibana/linux/amd64').blobs) await store.deleteBlob(descriptor.digest);
    const error = await failure(1, '.cache/eck-airgap');
    expect(error.code).toBe('UPSTREAM_CHANGED');
    expect(error.message).toContain(rebuilt.root.digest);
  });
});

describe('a tag that is gone', () => {
  test('with its digest is missing content, and the way out is named', async () => {
    await forget(LOCKED);
    const error = await failure(4);
    expect(error.code).toBe('CONTENT_MISSING');
    expect(error.message).toContain('neither the tag nor all of');
    expect(error.hint).toContain('eck-airgap lock --check');
    expect((await site.run('lock', 'airgap.yaml', '--check')).stdout).toContain(`gone: ${KIBANA}`);
  });

  test('does not matter while the digest is served', async () => {
    const { repository, tag = '' } = parseReference(KIBANA);
    await (await site.upstream.store.writable(repository)).deleteTag(tag);
    expect((await build()).status).toBe(0);
  });
});

test('where the tag still names what is locked, what is missing is only missing', async () => {
  await forget(randomImage('kibana/linux/amd64').root.digest);
  const error = await failure(4);
  expect(error.code).toBe('CONTENT_MISSING');
  expect(error.message).not.toMatch(/names|neither/);
});

test('an image from another source is asked for there', async () => {
  const sources = { 'docker.elastic.co': { registry: 'other.example' } };
  await site.writeSpec({ sources, mirrors: { 'other.example': `http://${site.upstream.host}` } });
  expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
  const rebuilt = randomIndex('rebuilt');
  await site.publish(KIBANA, rebuilt);
  await forget(LOCKED);
  const error = await failure(1);
  expect(error.code).toBe('UPSTREAM_CHANGED');
  expect(error.message).toContain(`${KIBANA} from other.example/kibana/kibana:9.5.2 names ${rebuilt.root.digest} now`);
});
