// 404 in the words that registries use: the specification asks for the status alone. Only the page of a proxy is kept apart
// from it, and only where the thing is required.
import { describe, expect, test } from 'vitest';
import { isNotThere } from '../../src/registry/http-error.ts';
import { answers, answersError, answersHtml } from '../support/faults.ts';
import type { Fault } from '../support/faulty-registry.ts';
import { lockPublished, publish } from '../support/lock-image.ts';
import { bench, download, NAME, sample, sampleManifest, type Bench } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const json = (document: unknown): Fault =>
  answers(404, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(document)));

const words: [string, Fault][] = [
  ['MANIFEST_UNKNOWN', answersError(404, 'MANIFEST_UNKNOWN')],
  ['UNKNOWN (Red Hat)', answersError(404, 'UNKNOWN')],
  ['TAG_EXPIRED (Quay)', answersError(404, 'TAG_EXPIRED')],
  ['UNSUPPORTED', answersError(404, 'UNSUPPORTED')],
  ['an error without a code (Artifactory)', json({ errors: [{ status: 404, message: 'Not Found' }] })],
  ['errors that are null', json({ errors: null })],
  ['JSON of something else', json({ detail: 'Not Found' })],
  ['nothing', answers(404)],
  ['plain text', answers(404, { 'content-type': 'text/plain; charset=utf-8' }, Buffer.from('404 page not found\n'))],
];
const page: [string, Fault] = ['a page', answersHtml(404)];

const image = sampleManifest();
const blob = sample(Buffer.from('x'));

/** Every 404 of the registry is in these words. */
async function saying(fault: Fault): Promise<Bench> {
  const made = await bench({ referrers: false }, { retries: 0 });
  made.server.misbehave({ times: Infinity }, async (call, proceed) => {
    const reply = await proceed();
    return reply.status === 404 ? fault(call, proceed) : reply;
  });
  return made;
}

describe.each(words)('404 with %s', (_words, fault) => {
  test.each([
    ['a tag', (made: Bench) => made.repository.resolve('v1')],
    ['a manifest', (made: Bench) => download(made.repository, image.descriptor)],
    ['a blob', (made: Bench) => download(made.repository, blob.descriptor)],
  ])('%s is missing', async (_what, act) => {
    const error = await rejected(act(await saying(fault)));
    expect(error.code).toBe('CONTENT_MISSING');
    expect(isNotThere(error)).toBe(true);
  });
});

describe.each([...words, page])('where "no" is the usual answer, 404 with %s', (_words, fault) => {
  test('is no', async () => {
    const made = await saying(fault);
    for (const { descriptor } of [image, blob]) expect(await made.repository.exists(descriptor)).toBe(false);
    expect(await made.repository.referrers(image.descriptor)).toEqual([]);
    expect(isNotThere(await rejected(made.repository.resolve('v1')))).toBe(true);
  });

  test('lets blobs, manifests and tags be pushed', async () => {
    const made = await saying(fault);
    for (const { descriptor, content } of [blob, image]) await made.repository.push(descriptor, content);
    await made.repository.tag(image.descriptor, 'v1');
    expect(made.server.memory.repository(NAME).tags.get('v1')).toBe(image.descriptor.digest);
  });

  test('means no signature: the image is locked', async () => {
    const made = await saying(fault);
    const { root } = publish(made.server);
    expect(await lockPublished(made.server)).toMatchObject({ digest: root.digest, accompanying: [] });
  });
});

test.each([
  ['a tag', (made: Bench) => made.repository.resolve('v1')],
  ['a blob', (made: Bench) => download(made.repository, blob.descriptor)],
])('the page of a proxy where %s is required says what it looks like', async (_what, act) => {
  const error = await rejected(act(await saying(page[1])));
  expect(error.code).toBe('REGISTRY_ERROR');
  expect(error.hint).toBeTruthy();
});

test('a 404 to what is sent is a refusal, not the absence of what is read', async () => {
  const made = await bench({}, { retries: 0 });
  made.server.misbehave({ method: 'PUT', path: /\/manifests\// }, answersError(404, 'NAME_UNKNOWN'));
  const error = await rejected(made.repository.push(image.descriptor, image.content));
  expect(error.code).toBe('REGISTRY_ERROR');
  expect(isNotThere(error)).toBe(false);
});
