// An index, or a list of referrers, without end: each entry is several requests, so there are only so many, and what is named
// twice is asked for once.
import { expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { referrersTag } from '../../src/oci/referrer-tags.ts';
import { startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.ts';
import { lockPublished, publish } from '../support/lock-image.ts';
import { randomImage } from '../support/random-image.ts';
import { NAME } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

/** As many as fit into a manifest of 4 MiB. */
const MANY = 19_000;

async function registry(): Promise<FaultyRegistry> {
  const server = await startFaultyRegistry({ referrers: false });
  onTestFinished(() => server.close());
  return server;
}

/** Children that are not there. */
const listed = (count: number): object[] =>
  Array.from({ length: count }, (_, i) => ({
    mediaType: OCI_MANIFEST,
    digest: digestOf(Buffer.from(String(i))),
    size: 1,
    platform: { os: 'linux', architecture: `a${i}` },
  }));

function putIndex(server: FaultyRegistry, manifests: readonly object[], tag = 'v1'): void {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  server.memory.putManifest(NAME, { mediaType: OCI_INDEX, bytes }, tag);
}

function image(server: FaultyRegistry): object {
  return { ...publish(server, randomImage('child')).root, platform: { os: 'linux', architecture: 'amd64' } };
}

test('an index of 19,000 children is refused before one of them is asked for', async () => {
  const server = await registry();
  putIndex(server, listed(MANY));
  const error = await rejected(lockPublished(server, 'all'));
  expect(error.code).toBe('MANIFEST_INVALID');
  expect(error.hint).toContain('platforms');
  expect(server.requests.length).toBeLessThan(5);
});

test('but the one that is wanted can be taken out of it', async () => {
  const server = await registry();
  const child = image(server);
  putIndex(server, [...listed(MANY - 1), child]);
  expect(await lockPublished(server)).toMatchObject({ platforms: ['linux/amd64'] });
  expect(server.requests.length).toBeLessThan(20);
});

test('a child that is listed 900 times is asked for once', async () => {
  const server = await registry();
  const child = image(server);
  putIndex(
    server,
    Array.from({ length: 900 }, () => child),
  );
  await lockPublished(server, 'all');
  expect(server.requests.length).toBeLessThan(20);
});

test('thousands of referrers of one image are refused before one of them is fetched', async () => {
  const server = await registry();
  const { root } = publish(server);
  putIndex(server, listed(9000), referrersTag(root.digest));
  const error = await rejected(lockPublished(server));
  expect(error.code).toBe('MANIFEST_INVALID');
  expect(error.hint).toBeTruthy();
  expect(server.requests.length).toBeLessThan(20);
});
