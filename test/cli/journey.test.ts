// The main job, end to end, through the command line: what a site does on the connected side and inside.
import { copyFile, mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { cosignTags } from '../../src/oci/referrer-tags.ts';
import { memoryStore } from '../../src/registry/server/memory-store.ts';
import { serveRegistry } from '../../src/registry/server/server.ts';
import { journey, writes, type Journey } from '../support/journey.ts';
import { cosignSignature, randomArtifact, randomImage, randomIndex } from '../support/random-image.ts';
import { parseSmallBundle } from '../support/small-bundle.ts';

const ELASTICSEARCH = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.2';
let site: Journey;

beforeEach(async () => {
  site = await journey();
});
afterEach(() => site.end());

const build = (...more: string[]) => site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', ...more);
const load = (...more: string[]) =>
  site.run('load', 'media', '--key', 'airgap.pub', '--registry', `${site.enclave.host}/elastic`, ...more);

async function built(...more: string[]): Promise<void> {
  const result = await build(...more);
  expect(result.stderr).not.toContain('Error');
  expect(result.status).toBe(0);
}

describe('lock', () => {
  test('pins every image to what will be pushed, and to what it was cut from', async () => {
    expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
    const lock = await site.readLock();
    expect(lock.images.map((image) => image.name)).toEqual(site.images);
    const original = randomIndex('elasticsearch', { attestations: true }).root.digest;
    const [image] = lock.images;
    expect(image?.original?.digest).toBe(original);
    expect(image?.digest).toBe(randomImage('elasticsearch/linux/amd64').root.digest);
    expect(image?.accompanying).toHaveLength(1);
  });

  test('is the same bytes a second time, and names no mirror', async () => {
    await site.run('lock', 'airgap.yaml');
    const first = await site.read('airgap.lock.yaml');
    await site.run('lock', 'airgap.yaml');
    expect(await site.read('airgap.lock.yaml')).toEqual(first);
    expect(first.toString()).not.toContain('127.0.0.1');
  });

  test('finds cosign signatures and referrers, and pins them', async () => {
    const { root } = randomIndex('elasticsearch', { attestations: true });
    const signature = cosignSignature(root);
    await site.publish(ELASTICSEARCH.replace('9.5.2', cosignTags(root.digest)[0] ?? ''), signature);
    const sbom = randomArtifact('sbom', { subject: root, artifactType: 'application/spdx+json' });
    await site.publish(ELASTICSEARCH.replace('9.5.2', 'sbom'), sbom);
    await site.run('lock', 'airgap.yaml');
    const lock = await site.readLock();
    const found = new Map(lock.images[0]?.accompanying.map((one) => [one.digest, one]));
    expect(found.get(signature.root.digest)?.tag).toBe(cosignTags(root.digest)[0]);
    expect(found.get(sbom.root.digest)?.artifactType).toBe('application/spdx+json');
  });

  test('an image that is not there is exit 4, by name, and no lock is written', async () => {
    await site.writeSpec({ images: ['docker.elastic.co/kibana/kibana:0.0.1'] });
    const result = await site.run('lock', 'airgap.yaml', '--json');
    expect(result.status).toBe(4);
    const { error } = JSON.parse(result.stdout) as { error: { code: string; message: string } };
    expect(error.code).toBe('CONTENT_MISSING');
    expect(error.message).toContain('docker.elastic.co/kibana/kibana:0.0.1');
    await expect(stat(site.path('airgap.lock.yaml'))).rejects.toThrow();
  });

  test('a platform that an image lacks is exit 4, with what there is', async () => {
    const result = await site.run('lock', 'airgap.yaml', '--platform', 'linux/s390x', '--json');
    expect(result.status).toBe(4);
    expect(result.stdout).toContain('PLATFORM_MISSING');
    expect(result.stdout).toContain('linux/arm64');
  });
});

describe('build', () => {
  test('writes a media folder whose sums hold', async () => {
    await built('--volume-size', '1M');
    const sums = (await site.read('media', 'SHA256SUMS')).toString().trimEnd().split('\n');
    expect(sums.length).toBeGreaterThan(2);
    for (const line of sums) {
      const [sum, name = ''] = line.split('  ');
      expect(digestOf(await site.read('media', name)), name).toBe(`sha256:${sum ?? ''}`);
    }
    expect((await readdir(site.path('media'))).sort()).toEqual([
      'README.txt',
      'SHA256SUMS',
      'SHA256SUMS.sig',
      'site-alpha.tar.001',
      'transfer.html',
    ]);
  });

  test('locks first where there is no lock', async () => {
    await built();
    expect((await site.readLock()).images).toHaveLength(2);
  });

  test('refuses a lock that was made for something else', async () => {
    await site.run('lock', 'airgap.yaml');
    await site.writeSpec({ platforms: ['linux/arm64'] });
    const result = await build();
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('[LOCK_STALE]');
  });

  test('from a warm cache asks upstream for nothing', async () => {
    await built();
    site.upstream.forget();
    const again = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'elsewhere');
    expect(again.status).toBe(0);
    expect(site.upstream.requests).toEqual([]);
  });

  test('fetches each blob once however many images share it', async () => {
    await site.publish('docker.elastic.co/kibana/kibana:copy', randomIndex('elasticsearch', { attestations: true }));
    await site.writeSpec({ images: [...site.images, 'docker.elastic.co/kibana/kibana:copy'] });
    site.upstream.forget();
    await built();
    const blobs = site.upstream.requests
      .filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
      .map(({ path }) => path.split('/').at(-1));
    expect(new Set(blobs).size).toBe(blobs.length);
  });

  test('twice from one lock, in other folders, is equal but for the signature slot', async () => {
    await built();
    await site.runWith(
      { env: { XDG_CACHE_HOME: site.path('other-cache') } },
      'build',
      'airgap.yaml',
      '--key',
      'airgap.key',
      '--out',
      'other',
    );
    const [one, two] = [await site.read('media', 'site-alpha.tar'), await site.read('other', 'site-alpha.tar')];
    const slot = slotRange(one);
    expect(two.subarray(slot.start, slot.end).equals(one.subarray(slot.start, slot.end))).toBe(false);
    expect(withoutSlot(two).equals(withoutSlot(one))).toBe(true);
  });

  test('again over its own output writes nothing and keeps the signature', async () => {
    await built();
    const first = await site.read('media', 'site-alpha.tar');
    const again = await build('--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ bytesWritten: 0 });
    expect(await site.read('media', 'site-alpha.tar')).toEqual(first);
  });

  test('a damaged cache is noticed, and what is damaged is fetched again', async () => {
    await built();
    const [victim = ''] = [
      ...new Set(
        site.upstream.requests.filter(({ path }) => path.includes('/blobs/')).map(({ path }) => path.split(':').at(-1)),
      ),
    ];
    const cached = site.path('.cache', 'eck-airgap', 'blobs', 'sha256', victim);
    const bytes = await site.read('.cache', 'eck-airgap', 'blobs', 'sha256', victim);
    bytes.writeUInt8(bytes.readUInt8(10) ^ 1, 10);
    await writeFile(cached, bytes);
    const result = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'elsewhere');
    expect(result.status).toBe(0);
    expect(result.stderr).toContain('fetched again');
    expect((await site.run('verify', 'elsewhere', '--key', 'airgap.pub')).status).toBe(0);
  });

  test.each(['build', 'lock'])(
    'a cache of which a machine that stopped left only names is as good as none, for %s',
    async (command) => {
      await built();
      const reference = (await site.run('inspect', 'media', '--json')).stdout;
      const folder = site.path('.cache', 'eck-airgap', 'blobs', 'sha256');
      for (const name of await readdir(folder))
        await writeFile(join(folder, name), Buffer.alloc((await stat(join(folder, name))).size));
      if (command === 'lock') expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
      const result = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'elsewhere');
      expect(result.stderr).not.toContain('Error');
      expect(result.status).toBe(0);
      expect((await site.run('verify', 'elsewhere', '--key', 'airgap.pub')).status).toBe(0);
      const digestOf = (text: string) => (JSON.parse(text) as { digest: string }).digest;
      expect(digestOf((await site.run('inspect', 'elsewhere', '--json')).stdout)).toBe(digestOf(reference));
    },
  );

  test('a tag that moved after the lock changes nothing: digests are pinned', async () => {
    await site.run('lock', 'airgap.yaml');
    await site.publish(ELASTICSEARCH, randomIndex('another'));
    await built();
    expect((await site.run('inspect', 'media', '--json')).stdout).toContain(
      randomImage('elasticsearch/linux/amd64').root.digest,
    );
  });

  test('needs a key: exit 2, and nothing is fetched', async () => {
    const result = await site.run('build', 'airgap.yaml', '--out', 'media');
    expect(result.status).toBe(2);
    expect(site.upstream.requests).toEqual([]);
  });
});

describe('inside', () => {
  beforeEach(() => built('--volume-size', '1M'));

  test('verify says yes with the right key, and 3 with another or none', async () => {
    expect((await site.run('verify', 'media', '--key', 'airgap.pub')).status).toBe(0);
    expect((await site.run('verify', 'media')).status).toBe(3);
    await site.run('keygen', '--out', 'other', '--no-passphrase');
    const other = await site.run('verify', 'media', '--key', 'other/airgap.pub');
    expect(other.status).toBe(3);
    expect(other.stderr).toContain('[SIGNATURE_INVALID]');
  });

  test('verify takes any number of threads', async () => {
    const verify = (workers: string) =>
      site.run('verify', 'media', '--key', 'airgap.pub', '--workers', workers, '--json');
    const results = await Promise.all(['1', '2', '16'].map(verify));
    expect(results.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1);
    for (const wrong of ['0', '17', '1.5', '-1', 'all']) expect((await verify(wrong)).status).toBe(2);
  });

  test('a key that lies beside the bundle is said to prove nothing', async () => {
    await copyFile(site.path('airgap.pub'), site.path('media', 'airgap.pub'));
    const result = await site.run('verify', 'media', '--key', 'media/airgap.pub');
    expect(result.stderr).toContain('proves nothing');
  });

  test('load pushes every image under the prefix, with its digest', async () => {
    expect((await load()).status).toBe(0);
    const repository = await site.enclave.store.repository('elastic/elasticsearch/elasticsearch');
    expect((await repository?.manifest('9.5.2'))?.digest).toBe(randomImage('elasticsearch/linux/amd64').root.digest);
    expect(await site.enclave.store.repositories()).toEqual([
      'elastic/eck-airgap/receipts',
      'elastic/elasticsearch/elasticsearch',
      'elastic/kibana/kibana',
    ]);
  });

  test('load again sends nothing', async () => {
    await load();
    site.enclave.forget();
    const again = await load();
    expect(again.stdout).toContain('nothing was left to do');
    expect(writes(site.enclave.requests)).toEqual([]);
  });

  test('a blob and a child manifest that were deleted in the registry meanwhile are found and mended', async () => {
    await load();
    const repository = await site.enclave.store.writable('elastic/elasticsearch/elasticsearch');
    const [layer] = randomImage('elasticsearch/linux/amd64').blobs;
    const accompanying = (await site.readLock()).images[0]?.accompanying[0]?.digest as Digest;
    expect(await repository.deleteBlob(layer?.descriptor.digest as Digest)).toBe(true);
    expect(await repository.deleteManifest(accompanying)).toBe(true);
    expect((await load()).status).toBe(0);
    expect(await repository.blobSize(layer?.descriptor.digest as Digest)).toBe(layer?.descriptor.size);
    expect((await repository.manifest(accompanying))?.digest).toBe(accompanying);
  });

  test('a dry run prints source=target@digest lines, and pushes nothing', async () => {
    const result = await load('--dry-run');
    expect(result.stdout.trimEnd().split('\n')).toEqual([
      `${ELASTICSEARCH}=${site.enclave.host}/elastic/elasticsearch/elasticsearch:9.5.2@${randomImage('elasticsearch/linux/amd64').root.digest}`,
      `docker.elastic.co/kibana/kibana:9.5.2=${site.enclave.host}/elastic/kibana/kibana:9.5.2@${randomImage('kibana/linux/amd64').root.digest}`,
      expect.stringMatching(
        new RegExp(
          `^site-alpha.receipt.json=${site.enclave.host}/elastic/eck-airgap/receipts:site-alpha@sha256:[0-9a-f]{64}$`,
        ),
      ),
    ]);
    expect(writes(site.enclave.requests)).toEqual([]);
  });

  test('a tag that names something else today is said before it moves', async () => {
    await load();
    const repository = await site.enclave.store.writable('elastic/kibana/kibana');
    const other = await site.enclave.store.repository('elastic/elasticsearch/elasticsearch');
    const image = await other?.manifest('9.5.2');
    if (image)
      await repository.putManifest(
        image,
        randomImage('elasticsearch/linux/amd64').blobs.at(-1)?.bytes ?? Buffer.alloc(0),
        '9.5.2',
      );
    expect((await load('--dry-run')).stderr).toContain('elastic/kibana/kibana:9.5.2 moves from');
    await load();
    expect((await repository.manifest('9.5.2'))?.digest).toBe(randomImage('kibana/linux/amd64').root.digest);
  });

  test('--flatten puts all below one path', async () => {
    await load('--flatten', 'stack');
    expect(await site.enclave.store.repositories()).toEqual([
      'elastic/eck-airgap/receipts',
      'elastic/stack/elasticsearch',
      'elastic/stack/kibana',
    ]);
  });

  test('tags come last, after every manifest of every image', async () => {
    await load();
    const puts = writes(site.enclave.requests).filter(
      ({ method, path }) => method === 'PUT' && path.includes('/manifests/') && !path.includes('receipts'),
    );
    const firstTag = puts.findIndex(({ path }) => !path.includes('sha256:'));
    expect(firstTag).toBeGreaterThan(0);
    expect(puts.slice(firstTag).every(({ path }) => !path.includes('/sha256:'))).toBe(true);
  });

  test('the receipt is a file and an artifact in the registry, and is the same twice', async () => {
    await load();
    const receipt = await site.read('site-alpha.receipt.json');
    expect(JSON.parse(receipt.toString())).toMatchObject({
      apiVersion: 'eck-airgap/v1',
      kind: 'Receipt',
      bundle: { name: 'site-alpha' },
    });
    const stored = await site.enclave.store.repository('elastic/eck-airgap/receipts');
    expect(await stored?.blobSize(digestOf(receipt))).toBe(receipt.byteLength);
    await load();
    expect(await site.read('site-alpha.receipt.json')).toEqual(receipt);
  });

  test('no damaged byte is sent, and no tag is set', async () => {
    const bytes = await site.read('media', 'site-alpha.tar.001');
    const [layer] = randomImage('kibana/linux/amd64').blobs;
    const at = bytes.indexOf(layer?.bytes.subarray(0, 64) ?? Buffer.alloc(0));
    bytes.writeUInt8(bytes.readUInt8(at + 100) ^ 1, at + 100);
    await writeFile(site.path('media', 'site-alpha.tar.001'), bytes);
    const result = await load();
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('[BUNDLE_CORRUPT]');
    const tags = await (await site.enclave.store.repository('elastic/kibana/kibana'))?.tags();
    expect(tags ?? []).not.toContain('9.5.2');
  });

  test('export takes out a file, verified; a second time it is done already; another file is not overwritten', async () => {
    const run = () => site.run('export', 'media', 'airgap.lock.yaml', '--key', 'airgap.pub', '--out', 'lock.yaml');
    expect((await run()).status).toBe(0);
    expect(await site.read('lock.yaml')).toEqual(await site.read('airgap.lock.yaml'));
    expect((await run()).status).toBe(0);
    await writeFile(site.path('lock.yaml'), 'mine');
    const refused = await run();
    expect(refused.status).toBe(2);
    expect((await site.read('lock.yaml')).toString()).toBe('mine');
    const unknown = await site.run('export', 'media', 'nothing', '--key', 'airgap.pub', '--out', 'x');
    expect(unknown.status).toBe(4);
    expect(unknown.stderr).toContain('airgap.lock.yaml');
  });

  test('inspect without a key says that nothing was checked', async () => {
    const result = await site.run('inspect', 'media');
    expect(result.status).toBe(0);
    expect(result.stdout).toContain('NOT VERIFIED');
    expect((await site.run('inspect', 'media', '--key', 'airgap.pub')).stdout).toContain('signature verified');
  });

  test('volumes in two folders are named together', async () => {
    await site.publish(ELASTICSEARCH, randomIndex('big', { layerSize: 1_500_000 }));
    await site.run('lock', 'airgap.yaml');
    await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'set', '--volume-size', '1M');
    await mkdir(site.path('second'));
    await rename(site.path('set', 'site-alpha.tar.002'), site.path('second', 'site-alpha.tar.002'));
    const alone = await site.run('verify', 'set', '--key', 'airgap.pub');
    expect(alone.status).toBe(4);
    expect(alone.stderr).toContain('volume 2');
    expect((await site.run('verify', 'second', 'set', '--key', 'airgap.pub')).status).toBe(0);
  });
});

test('several platforms: a filtered index is pushed whole', async () => {
  await site.publish(
    ELASTICSEARCH,
    randomIndex('three', { platforms: ['linux/amd64', 'linux/arm64', 'linux/s390x'], attestations: true }),
  );
  await site.writeSpec({ platforms: ['linux/amd64', 'linux/arm64'] });
  await built();
  expect((await load()).status).toBe(0);
  const repository = await site.enclave.store.repository('elastic/elasticsearch/elasticsearch');
  const root = await repository?.manifest('9.5.2');
  expect(root?.annotations?.['eck-airgap.original.digest']).toBe(
    randomIndex('three', { platforms: ['linux/amd64', 'linux/arm64', 'linux/s390x'], attestations: true }).root.digest,
  );
});

test('all platforms: the original index, bit for bit', async () => {
  await site.writeSpec({ platforms: 'all' });
  await built();
  expect((await load()).status).toBe(0);
  const repository = await site.enclave.store.repository('elastic/elasticsearch/elasticsearch');
  expect((await repository?.manifest('9.5.2'))?.digest).toBe(
    randomIndex('elasticsearch', { attestations: true }).root.digest,
  );
});

test('files beside airgap.yaml travel too; one that changed after the lock is refused', async () => {
  await writeFile(site.path('license.json'), '{"license":1}');
  await site.writeSpec({ files: [{ path: './license.json' }] });
  await site.run('lock', 'airgap.yaml');
  await writeFile(site.path('license.json'), '{"license":2}');
  const refused = await build();
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain('license.json');
  await writeFile(site.path('license.json'), '{"license":1}');
  await built();
  await site.run('export', 'media', 'license.json', '--key', 'airgap.pub', '--out', 'out.json');
  expect((await site.read('out.json')).toString()).toBe('{"license":1}');
});

test('the account of a load comes with --username and standard input', async () => {
  await built();
  const htpasswd = `alice:${hashSync('s3cret', 4)}\n`;
  const registry = await serveRegistry(memoryStore(), { host: '127.0.0.1', port: 0, htpasswd });
  onTestFinished(() => registry.close());
  const to = ['load', 'media', '--key', 'airgap.pub', '--registry', `127.0.0.1:${registry.port}`];
  const account = [...to, '--username', 'alice', '--password-stdin'];
  expect((await site.run(...to)).stderr).toContain('[REGISTRY_UNAUTHORIZED]');
  const wrong = await site.runWith({ stdin: 'wrong\n' }, ...account);
  expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('[REGISTRY_UNAUTHORIZED]')]);
  expect((await site.runWith({ stdin: 's3cret\n' }, ...account)).status).toBe(0);
});

function slotRange(tar: Buffer): { start: number; end: number } {
  const slot = parseSmallBundle(tar).geometry.frames[1];
  return { start: slot?.offset ?? 0, end: (slot?.offset ?? 0) + (slot?.size ?? 0) };
}

function withoutSlot(tar: Buffer): Buffer {
  const { start, end } = slotRange(tar);
  return Buffer.concat([tar.subarray(0, start), tar.subarray(end)]);
}
