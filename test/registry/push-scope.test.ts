// A registry that hides what one may not read: without the right to push, a repository that is not there yet looks like one that
// is refused (Quay and Docker Hub are so). What will be pushed to asks for both from its first request on.
import { expect, test } from 'vitest';
import type { Repository } from '../../src/registry/repository.ts';
import { bench, NAME, sample, sampleBytes, sampleManifest, type Bench } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const blob = sample(sampleBytes(500));
const image = sampleManifest({ layers: [blob.descriptor] });
const { mediaType, digest, size } = image.descriptor;
const signature = sampleManifest({ subject: { mediaType, digest, size } });

const hiding = (): Promise<Bench> => bench({ auth: { kind: 'bearer', hides: true }, referrers: false }, { retries: 0 });

/** The scopes of each token that was asked for. */
const asked = ({ server }: Bench): string[] =>
  server
    .asked('GET', /^\/token/)
    .map(({ path }) => new URL(path, server.origin).searchParams.getAll('scope').join(' '));

test.each([
  ['whether a blob is there', (to: Repository) => to.exists(blob.descriptor), false],
  ['whether a manifest is there', (to: Repository) => to.exists(image.descriptor), false],
  ['a push of a blob', (to: Repository) => to.push(blob.descriptor, blob.content), undefined],
  ['the referrers of an image', (to: Repository) => to.referrers(image.descriptor), []],
] as [string, (to: Repository) => Promise<unknown>, unknown][])(
  'the first request may be %s',
  async (_what, act, found) => {
    const made = await hiding();
    expect(await act(made.registry.repository(NAME, 'push'))).toEqual(found);
    expect(asked(made)).toEqual([`repository:${NAME}:pull,push`]);
  },
);

test('a whole image with its signature and its tag needs one token', async () => {
  const made = await hiding();
  const to = made.registry.repository(NAME, 'push');
  for (const { descriptor, content } of [blob, image, signature]) {
    expect(await to.exists(descriptor)).toBe(false);
    await to.push(descriptor, content);
  }
  await to.tag(image.descriptor, 'v1');
  expect((await to.resolve('v1')).digest).toBe(digest);
  expect(asked(made)).toEqual([`repository:${NAME}:pull,push`]);
});

test('a tag that is not there yet is missing, not refused', async () => {
  const made = await hiding();
  expect((await rejected(made.registry.repository(NAME, 'push').resolve('v1'))).code).toBe('CONTENT_MISSING');
});

test('a mount asks to pull from the source, and to pull and push at the target', async () => {
  const made = await hiding();
  await made.registry.repository('demo/base', 'push').push(blob.descriptor, blob.content);
  await made.registry.repository(NAME, 'push').push(blob.descriptor, blob.content);
  expect(made.registry.stats).toMatchObject({ uploads: 1, mounts: 1 });
  expect(asked(made)).toEqual([
    'repository:demo/base:pull,push',
    `repository:${NAME}:pull,push`,
    `repository:${NAME}:pull,push repository:demo/base:pull`,
  ]);
});

test('what is only read asks for no more than that', async () => {
  const made = await hiding();
  made.server.memory.putBlob(NAME, blob.bytes);
  expect(await made.registry.repository(NAME).exists(blob.descriptor)).toBe(true);
  expect(asked(made)).toEqual([`repository:${NAME}:pull`]);
  expect((await rejected(made.registry.repository('demo/absent').resolve('v1'))).code).toBe('REGISTRY_UNAUTHORIZED');
});
