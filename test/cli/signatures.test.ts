// Signatures of upstream, as a user meets them: asked for in airgap.yaml, checked by `lock` and again by `build`.
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dump, load } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LockedImage } from '../../src/bundle/lock.ts';
import { hexOf } from '../../src/core/digest.ts';
import { cosignTags } from '../../src/oci/referrer-tags.ts';
import { fingerprintGroups } from '../../src/signing/fingerprint.ts';
import type { PrivateKey } from '../../src/signing/private-key.ts';
import type { CliResult } from '../support/cli.ts';
import { newKey } from '../support/cosign.ts';
import { journey, type Journey } from '../support/journey.ts';
import { cosignBundle, cosignSignature, randomImage, randomIndex, type Graph } from '../support/random-image.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const ELASTICSEARCH = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.2';
const index = randomIndex('kibana');
const key = newKey();
const RULES = { 'docker.elastic.co': { key: 'keys/cosign.pub' } };
const signed = { by: 'cosign', key: key.publicKey.fingerprint };

let site: Journey;
beforeEach(async () => {
  site = await journey({ images: { [KIBANA]: index }, spec: { signatures: RULES } });
  await trust(key);
});
afterEach(() => site.end());

/** Writes the public key where airgap.yaml names it. */
async function trust({ publicKey }: PrivateKey): Promise<void> {
  await mkdir(site.path('keys'), { recursive: true });
  await writeFile(site.path('keys', 'cosign.pub'), publicKey.pem);
}

/** Publishes a signature of Kibana's index, or of another image, under cosign's tag. */
async function sign(by: PrivateKey, { root } = index): Promise<Graph> {
  const signature = cosignSignature(root, by);
  await site.publish(KIBANA.replace('9.5.2', cosignTags(root.digest)[0] ?? ''), signature);
  return signature;
}

const lock = () => site.run('lock', 'airgap.yaml');
const build = (media = 'media') => site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', media);

function expectDone(result: CliResult): void {
  expect(result.stderr).not.toContain('Error');
  expect(result.status).toBe(0);
}

function expectRefused(result: CliResult, message: string, code = 'SIGNATURE_INVALID'): void {
  expect([result.status, result.stderr]).toEqual([3, expect.stringContaining(message)]);
  expect(result.stderr).toContain(`[${code}]`);
}

async function expectNothingWritten(...paths: string[]): Promise<void> {
  for (const path of paths) await expect(stat(site.path(path))).rejects.toThrow();
}

/** Changes the first image of the lock, as somebody with an editor does. */
async function edit(change: (image: LockedImage) => void): Promise<void> {
  const text = (await site.read('airgap.lock.yaml')).toString();
  const document = load(text) as { images: [LockedImage] };
  change(document.images[0]);
  await writeFile(site.path('airgap.lock.yaml'), dump(document));
}

describe('lock', () => {
  test('an image that is signed: the lock and the transfer page say by which key', async () => {
    await sign(key);
    expectDone(await lock());
    expect((await site.readLock()).images.map(({ verified }) => verified)).toEqual([signed]);
    expectDone(await build());
    const page = (await site.read('media', 'transfer.html')).toString();
    expect(page).toContain('Signature (cosign) by the key');
    expect(page).toContain(fingerprintGroups(signed.key).join(' '));
  });

  test('an index that is signed vouches for the one platform that is cut out of it', async () => {
    await sign(key);
    expectDone(await lock());
    const [image] = (await site.readLock()).images;
    expect([image?.digest, image?.original?.digest]).toEqual([
      randomImage('kibana/linux/amd64').root.digest,
      index.root.digest,
    ]);
  });

  test('a bundle as its referrer is a signature too', async () => {
    await site.publish(KIBANA.replace('9.5.2', 'bundle'), cosignBundle(index.root, key));
    expectDone(await lock());
    expect((await site.readLock()).images[0]?.verified).toEqual(signed);
  });

  test('one that is not signed is exit 3, and no lock is written; build writes nothing either', async () => {
    expectRefused(await lock(), `${KIBANA}: no signature by the key ${signed.key} (keys/cosign.pub): none was found`);
    expectRefused(await build(), 'none was found');
    await expectNothingWritten('airgap.lock.yaml', 'media');
  });

  test('one that is signed by another key is exit 3, with the way out', async () => {
    await sign(newKey());
    const result = await lock();
    expectRefused(result, 'does not verify');
    expect(result.stderr).toContain('"docker.elastic.co/kibana/kibana": none');
    await expectNothingWritten('airgap.lock.yaml');
  });

  test('a signature of another image is exit 3', async () => {
    const signature = cosignSignature(randomIndex('another').root, key);
    await site.publish(KIBANA.replace('9.5.2', cosignTags(index.root.digest)[0] ?? ''), signature);
    expectRefused(await lock(), 'does not verify');
  });

  test('"none" exempts, for the longest prefix', async () => {
    await sign(key);
    await site.publish(ELASTICSEARCH, randomIndex('elasticsearch'));
    const spec = (signatures: object) => site.writeSpec({ images: [KIBANA, ELASTICSEARCH], signatures });
    await spec(RULES);
    expectRefused(await lock(), `${ELASTICSEARCH}: no signature`);
    await spec({ ...RULES, 'docker.elastic.co/elasticsearch': 'none' });
    expectDone(await lock());
    expect((await site.readLock()).images.map(({ verified }) => verified)).toEqual(['none', signed]);
  });

  test('the rule is by the name, the signature where the image is taken from', async () => {
    const from = 'registry.example/rebuilt/kibana/kibana:9.5.2';
    const rebuilt = randomIndex('rebuilt kibana');
    await site.publish(from, rebuilt);
    await site.writeSpec({
      signatures: RULES,
      sources: { 'docker.elastic.co': { registry: 'registry.example/rebuilt' } },
      mirrors: { 'registry.example': `http://${site.upstream.host}` },
    });
    await sign(key, rebuilt);
    expectRefused(await lock(), `${KIBANA} from ${from}: no signature by the key ${signed.key}`);
    const tag = cosignTags(rebuilt.root.digest)[0] ?? '';
    await site.publish(from.replace('9.5.2', tag), cosignSignature(rebuilt.root, key));
    expectDone(await lock());
    expectDone(await build());
  });
});

describe('the key', () => {
  test('another one makes the lock stale, the same one in other line ends does not', async () => {
    await sign(key);
    expectDone(await lock());
    await writeFile(site.path('keys', 'cosign.pub'), key.publicKey.pem.replaceAll('\n', '\r\n'));
    expectDone(await build());
    await trust(newKey());
    const result = await build('elsewhere');
    expect([result.status, result.stderr]).toEqual([2, expect.stringContaining('[LOCK_STALE]')]);
  });

  test.each<[string, string | undefined, string]>([
    ['is not there', undefined, 'FILE_NOT_FOUND'],
    ['is none', 'cosign.pub', 'KEY_INVALID'],
    [
      'is the private one',
      '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n',
      'KEY_INVALID',
    ],
  ])('that %s is a mistake of configuration, by file and place', async (_what, text, code) => {
    const path = site.path('keys', 'cosign.pub');
    await (text === undefined ? rm(path) : writeFile(path, text));
    const result = await lock();
    expect([result.status, result.stderr]).toEqual([2, expect.stringContaining(`[${code}]`)]);
    expect(result.stderr).toContain(path);
    expect(result.stderr).toContain('airgap.yaml, signatures, docker.elastic.co');
    expect(site.upstream.requests).toEqual([]);
  });
});

describe('build', () => {
  beforeEach(async () => {
    await sign(key);
    expectDone(await lock());
  });

  test('checks a lock that is there, and from a warm cache asks upstream for nothing', async () => {
    expectDone(await build());
    site.upstream.forget();
    expectDone(await build('elsewhere'));
    expect(site.upstream.requests).toEqual([]);
  });

  test('refuses a lock from which the signature was taken out', async () => {
    await edit((image) => (image.accompanying = []));
    expectRefused(await build(), 'none was found');
    await expectNothingWritten('media/site-alpha.tar');
  });

  test('refuses a lock that puts another image under the signature', async () => {
    await site.publish(KIBANA, randomImage('evil'));
    const { digest, size, mediaType } = randomImage('evil').root;
    await edit((image) => Object.assign(image, { digest, size, mediaType }));
    expectRefused(await build(), 'is not what its platforms select', 'DIGEST_MISMATCH');
    await edit((image) => delete image.original);
    expectRefused(await build(), 'does not verify');
  });

  test('refuses a lock that claims a signature which airgap.yaml does not ask for', async () => {
    await site.writeSpec({ signatures: {} });
    expectDone(await lock());
    await edit((image) => (image.verified = { by: 'cosign', key: signed.key }));
    expectRefused(await build(), `"cosign ${signed.key}", it is "none"`);
  });

  test('a signature that is no longer upstream is exit 4 where the cache does not have it', async () => {
    const [payload] = cosignSignature(index.root, key).blobs;
    const repository = await site.upstream.store.writable('kibana/kibana');
    expect(await repository.deleteBlob(payload?.descriptor.digest ?? index.root.digest)).toBe(true);
    await rm(site.path('.cache'), { recursive: true });
    const result = await build();
    expect([result.status, result.stderr]).toEqual([4, expect.stringContaining('[CONTENT_MISSING]')]);
    await expectNothingWritten('media/site-alpha.tar');
  });

  test('a signature that is damaged in the cache is fetched again', async () => {
    const [payload] = cosignSignature(index.root, key).blobs;
    const cached = ['.cache', 'eck-airgap', 'blobs', 'sha256', hexOf(payload?.descriptor.digest ?? index.root.digest)];
    await writeFile(site.path(...cached), Buffer.alloc(payload?.descriptor.size ?? 0, '{'));
    const result = await build();
    expectDone(result);
    expect(result.stderr).toContain('fetched again');
  });
});
