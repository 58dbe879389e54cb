// The files of a bundle as the lock pins them, from a server shaped like Elastic's download sites.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MANIFEST_FILE_LIMIT, SMALL_FILE_LIMIT } from '../../../src/build/files/content.ts';
import { lockFiles, type LockFilesOptions } from '../../../src/build/files/lock-files.ts';
import { wantedFiles } from '../../../src/build/files/wanted-files.ts';
import { wantedBySpec } from '../../../src/build/wanted-by-spec.ts';
import { encodeLock, parseLock } from '../../../src/bundle/lock.ts';
import { parseSpec, specDigest } from '../../../src/bundle/spec.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { AirgapEvent } from '../../../src/core/events.ts';
import { collect } from '../../../src/core/streams.ts';
import { openCache, type Cache } from '../../../src/oci/cache.ts';
import { openWebFiles, type WebFiles } from '../../../src/registry/web-files.ts';
import { elasticDownloads, type ElasticDownloads } from '../../support/elastic-downloads.ts';
import { generateOpenPgpKey } from '../../support/openpgp-key.ts';
import type { NamedInFile } from '../../../src/build/named-images.ts';
import { rejected } from '../../support/thrown.ts';

const ECK = 'https://download.elastic.co/downloads/eck/3.5.0';
const KEY = 'https://artifacts.elastic.co/GPG-KEY-elasticsearch';
const DIAGNOSTICS = 'https://github.com/elastic/eck-diagnostics/releases/download/1.11.0';
const ARCHIVE = 'eck-diagnostics_1.11.0_Linux_x86_64.tar.gz';
const OPERATOR = 'docker.elastic.co/eck/eck-operator:3.5.0';

let folder: string;
let upstream: ElasticDownloads;
let cache: Cache;
let web: WebFiles;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-files-'));
  upstream = await elasticDownloads({ smallCrds: true });
  web = openWebFiles({ mirrors: upstream.mirrors, retries: 0 });
  cache = await openCache(join(folder, 'cache'), { self: { pid: process.pid, isAlive: () => false } });
});
afterEach(async () => {
  await Promise.all([upstream.close(), web.close()]);
  await rm(folder, { recursive: true, force: true });
});

/** Looks for nothing but containers, and tells what it was asked. */
function imagesIn(text: string, where: string, strict: boolean): NamedInFile {
  asked.push([where, strict]);
  const documents = loadAll(text) as { spec?: { template?: { spec: { containers: { image: string }[] } } } }[];
  const images = documents.flatMap((it) => it.spec?.template?.spec.containers.map(({ image }) => image) ?? []);
  return { images, unread: text.includes('unread') ? ['is not read'] : [] };
}
let asked: [where: string, strict: boolean][] = [];
beforeEach(() => {
  asked = [];
});

interface Asked {
  readonly elastic?: object;
  readonly files?: readonly object[];
  readonly platforms?: readonly string[] | 'all';
}

function lock({ elastic, ...more }: Asked, options: Partial<LockFilesOptions> = {}) {
  const spec = parseSpec(
    JSON.stringify({
      ...{ apiVersion: 'eck-airgap/v1', kind: 'BundleSpec', metadata: { name: 'site' }, ...more },
      ...(elastic === undefined ? { images: ['nginx:1'] } : { elastic: { eck: '3.5.0', ...elastic } }),
    }),
    'airgap.yaml',
  );
  const catalogueFile = { text: upstream.catalogue, where: 'catalogue.yaml' };
  const wanted = wantedFiles(spec, wantedBySpec(spec, { catalogueFile }).selection);
  return lockFiles(wanted, { folder, cache, imagesIn, web, ...options });
}

const write = (name: string, content: string | Buffer) => writeFile(join(folder, name), content);
const stored = (file: { digest: ReturnType<typeof digestOf>; size: number }) => collect(cache.fetch(file), 1e9);
const DEPLOYMENT = (image: string) =>
  `kind: Deployment\nspec: { template: { spec: { containers: [{ name: a, image: ${image} }] } } }\n`;

describe('what follows from elastic', () => {
  test('is pinned with what vouched for it, what it is there for, and the images it names', async () => {
    await write('ours.json', '{"license": {"type": "enterprise"}}');
    const files = await lock({ elastic: { diagnostics: '1.11.0', licence: 'ours.json' } });
    const about = (name: string) => files.find((file) => file.name === name);
    expect(about('eck-3.5.0-operator.yaml')).toEqual({
      name: 'eck-3.5.0-operator.yaml',
      url: `${ECK}/operator.yaml`,
      digest: digestOf(upstream.bytes(`${ECK}/operator.yaml`)!),
      size: upstream.bytes(`${ECK}/operator.yaml`)!.byteLength,
      verified: 'none',
      uses: [{ component: 'eck-operator', version: '3.5.0', why: 'installs the operator without Helm' }],
      images: [OPERATOR],
    });
    expect(about('eck-3.5.0-crds.yaml')).not.toHaveProperty('images');
    expect(about(ARCHIVE)?.verified).toEqual({ by: 'checksum', from: `${DIAGNOSTICS}/checksums.txt` });
    expect(about('GPG-KEY-elasticsearch')?.verified).toEqual({
      by: 'fingerprint',
      key: upstream.signingKey.fingerprint,
    });
    expect(about('licence.json')).toMatchObject({ path: 'ours.json', verified: 'none' });
    expect(about('eck-diagnostics_1.11.0_checksums.txt')?.verified).toBe('none');
    expect(files).toHaveLength(6);
  });

  test('is a valid part of a lock, in every order the same', async () => {
    const files = await lock({ elastic: { diagnostics: true }, platforms: 'all' }, { concurrency: 1 });
    const again = await lock({ elastic: { diagnostics: true }, platforms: 'all' });
    expect(again).toEqual(files);
    const spec = parseSpec('{apiVersion: eck-airgap/v1, kind: BundleSpec, metadata: {name: a}, images: [a:1]}', 'a');
    const head = { apiVersion: 'eck-airgap/v1', kind: 'Lock', metadata: { name: 'a' }, platforms: 'all' } as const;
    const text = encodeLock({ ...head, spec: specDigest(spec), images: [], files }).toString();
    expect(parseLock(text, 'lock').files.map(({ name }) => name)).toEqual(files.map(({ name }) => name).sort());
  });

  test('is in the cache afterwards, and was asked for once each', async () => {
    const files = await lock({ elastic: { diagnostics: '1.11.0' }, platforms: 'all' });
    for (const file of files) expect(await stored(file)).toEqual(upstream.bytes(file.url!));
    const urls = upstream.requests.filter(({ status }) => status === 200).map(({ url }) => url);
    expect(urls.sort()).toEqual(files.map(({ url }) => url!).sort());
  });

  test('is told of, each file once', async () => {
    const events: AirgapEvent[] = [];
    const files = await lock({ elastic: {} }, { report: (event) => events.push(event) });
    const expected = files.map(({ name, digest }) => ({ type: 'done', what: name, detail: digest }));
    expect(events).toHaveLength(expected.length);
    expect(events).toEqual(expect.arrayContaining(expected));
  });

  test('is read for images strictly where it is a manifest, and not at all where it is none', async () => {
    await lock({ elastic: { diagnostics: true } });
    expect(asked.sort()).toEqual([
      ['https://download.elastic.co/downloads/eck/3.5.0/crds.yaml', true],
      ['https://download.elastic.co/downloads/eck/3.5.0/operator.yaml', true],
    ]);
  });
});

describe('what is missing upstream is refused with file, address and reason', () => {
  test.each([
    ['a manifest', `${ECK}/crds.yaml`, 'eck-3.5.0-crds.yaml (needed by ECK 3.5.0)'],
    ['an archive', `${DIAGNOSTICS}/${ARCHIVE}`, `${ARCHIVE} (needed by eck-diagnostics 1.11.0)`],
    ['the key', KEY, 'GPG-KEY-elasticsearch (needed by ECK 3.5.0)'],
  ])('%s', async (_what, url, who) => {
    upstream.remove(url);
    const error = await rejected(lock({ elastic: { diagnostics: '1.11.0' } }));
    expect([error.code, error.exitStatus]).toEqual(['CONTENT_MISSING', 4]);
    expect(error.message.startsWith(`${who}: `)).toBe(true);
    expect(error.message).toContain(url);
  });

  test('the checksums', async () => {
    upstream.remove(`${DIAGNOSTICS}/checksums.txt`);
    const error = await rejected(lock({ elastic: { diagnostics: '1.11.0' } }));
    expect(error.code).toBe('CONTENT_MISSING');
    expect(error.message).toContain(`${DIAGNOSTICS}/checksums.txt`);
  });

  test('a file of the user', async () => {
    const url = 'https://artifacts.elastic.co/none.txt';
    const error = await rejected(lock({ files: [{ url }] }));
    expect(error.message).toMatch(/^none\.txt \(needed by airgap\.yaml\): /);
  });
});

describe('what nothing vouches for, where something should, is refused', () => {
  const diagnostics = { elastic: { diagnostics: '1.11.0' } };

  test('an archive that differs from its checksum', async () => {
    const expected = digestOf(upstream.bytes(`${DIAGNOSTICS}/${ARCHIVE}`)!);
    upstream.put(`${DIAGNOSTICS}/${ARCHIVE}`, 'another program');
    const error = await rejected(lock(diagnostics));
    expect([error.code, error.exitStatus]).toEqual(['DIGEST_MISMATCH', 3]);
    for (const part of [ARCHIVE, expected, digestOf(Buffer.from('another program')), `${DIAGNOSTICS}/checksums.txt`]) {
      expect(error.message).toContain(part);
    }
  });

  test('an archive that the checksums do not list, or under another name alone', async () => {
    const sum = digestOf(upstream.bytes(`${DIAGNOSTICS}/${ARCHIVE}`)!).slice('sha256:'.length);
    for (const list of ['', '<html>', `${sum}  x${ARCHIVE}\n`, `${sum}x  ${ARCHIVE}\n`]) {
      upstream.put(`${DIAGNOSTICS}/checksums.txt`, list);
      const error = await rejected(lock(diagnostics));
      expect(error.code).toBe('CONTENT_MISSING');
      expect(error.message).toContain(`${DIAGNOSTICS}/checksums.txt lists no checksum of it`);
    }
  });

  test('a list as sha256sum -b writes it vouches as well', async () => {
    const sum = digestOf(upstream.bytes(`${DIAGNOSTICS}/${ARCHIVE}`)!).slice('sha256:'.length);
    upstream.put(`${DIAGNOSTICS}/checksums.txt`, `${sum} *${ARCHIVE}\r\n`);
    expect(await lock(diagnostics)).toHaveLength(5);
  });

  test('a key that is not the pinned one', async () => {
    const other = await generateOpenPgpKey();
    upstream.put(KEY, other.armoured);
    const error = await rejected(lock({ elastic: {} }));
    expect([error.code, error.exitStatus]).toEqual(['SIGNATURE_INVALID', 3]);
    for (const part of ['GPG-KEY-elasticsearch', upstream.signingKey.fingerprint, other.fingerprint]) {
      expect(error.message).toContain(part);
    }
  });

  test.each(['path', 'url'])('a file by %s that differs from the digest in airgap.yaml', async (kind) => {
    await write('GPG-KEY-elasticsearch', upstream.bytes(KEY)!);
    const place = kind === 'path' ? { path: 'GPG-KEY-elasticsearch' } : { url: KEY };
    const found = digestOf(upstream.bytes(KEY)!);
    const [file] = await lock({ files: [{ ...place, digest: found }] });
    expect(file).toMatchObject({ ...place, digest: found, verified: { by: 'checksum', from: 'airgap.yaml' } });
    const expected = digestOf(Buffer.from('other'));
    const error = await rejected(lock({ files: [{ ...place, digest: expected }] }));
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(error.message).toContain(`expected ${expected} by airgap.yaml, found ${found}`);
  });
});

describe('small files are small', () => {
  test('a manifest over its limit is refused', async () => {
    upstream.put(`${ECK}/crds.yaml`, Buffer.alloc(MANIFEST_FILE_LIMIT + 1, ' '));
    const error = await rejected(lock({ elastic: {} }));
    expect(error.code).toBe('REGISTRY_PROTOCOL');
    expect(error.message).toContain('eck-3.5.0-crds.yaml');
    upstream.put(`${ECK}/crds.yaml`, Buffer.alloc(MANIFEST_FILE_LIMIT, ' '));
    expect(await lock({ elastic: {} })).toHaveLength(3);
  });

  test('so is a list of checksums', async () => {
    upstream.put(`${DIAGNOSTICS}/checksums.txt`, Buffer.alloc(SMALL_FILE_LIMIT + 1, '\n'));
    const error = await rejected(lock({ elastic: { diagnostics: '1.11.0' } }));
    expect(error.code).toBe('REGISTRY_PROTOCOL');
    expect(error.message).toContain('eck-diagnostics_1.11.0');
  });
});

describe('the licence', () => {
  test.each([
    ['no JSON', 'license: {}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['without license', '{"licence": {}}'],
    ['with a license that is no object', '{"license": "x"}'],
    ['with a license that is a list', '{"license": []}'],
    ['too large', JSON.stringify({ license: {}, filler: 'x'.repeat(SMALL_FILE_LIMIT) })],
  ])('that is %s is refused, and nothing of it shown', async (_what, text) => {
    await write('ours.json', text);
    const error = await rejected(lock({ elastic: { licence: 'ours.json' } }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(/^licence\.json \(needed by elastic\.licence\): not a licence file/);
    expect(error.message).not.toContain('license: {}');
  });

  test('that is not there is named', async () => {
    const error = await rejected(lock({ elastic: { licence: 'ours.json' } }));
    expect([error.code, error.message.includes(join(folder, 'ours.json'))]).toEqual(['FILE_NOT_FOUND', true]);
  });
});

describe('files of the user', () => {
  test('are hashed where they are, and have no uses', async () => {
    await write('notes.txt', 'hello');
    const [file] = await lock({ files: [{ path: 'notes.txt', name: 'n' }] });
    const digest = digestOf(Buffer.from('hello'));
    expect(file).toEqual({ name: 'n', path: 'notes.txt', digest, size: 5, verified: 'none' });
    expect(await cache.exists({ mediaType: '', digest, size: 5 })).toBe(false);
  });

  test('of one address under two names are fetched once', async () => {
    const files = await lock({ files: [{ url: KEY }, { url: KEY, name: 'again' }] });
    expect(new Set(files.map(({ digest }) => digest)).size).toBe(1);
    expect(upstream.requests).toHaveLength(1);
  });

  test('that are YAML are read for images, which airgap.yaml can leave out by any of their names', async () => {
    await write(
      'app.yml',
      DEPLOYMENT('nginx:1.29') + '---\n' + DEPLOYMENT('busybox') + '---\n' + DEPLOYMENT('busybox'),
    );
    const images = async (more: object) => (await lock({ files: [{ path: 'app.yml', ...more }] }))[0]?.images;
    expect(await images({})).toEqual(['docker.io/library/busybox:latest', 'docker.io/library/nginx:1.29']);
    expect((await rejected(images({ ignoreImages: ['busybox:1'] }))).code).toBe('CONFIG_INVALID');
    expect(await images({ ignoreImages: ['docker.io/library/nginx:1.29'] })).toEqual([
      'docker.io/library/busybox:latest',
    ]);
    expect(await images({ ignoreImages: ['busybox', 'nginx:1.29'] })).toBeUndefined();
    expect(asked).toContainEqual(['app.yml', false]);
  });

  test('count as YAML by their name here or there', async () => {
    await write('a.YAML', DEPLOYMENT('a:1'));
    await write('b', DEPLOYMENT('b:1'));
    await write('c', DEPLOYMENT('c:1'));
    upstream.put('https://artifacts.elastic.co/d.yml', DEPLOYMENT('d:1'));
    const url = 'https://artifacts.elastic.co/d.yml?v=1';
    const files = [{ path: 'a.YAML', name: 'a' }, { path: 'b', name: 'b.yaml' }, { path: 'c' }, { url, name: 'd' }];
    const locked = await lock({ files });
    expect(locked.map(({ images }) => images?.length ?? 0)).toEqual([1, 1, 0, 1]);
  });

  test('that were not read for images are pinned as such, with a warning', async () => {
    await write('a.yaml', '# unread\n');
    await write('b.json', Buffer.from(DEPLOYMENT('b:1'), 'latin1').subarray(0, 4));
    await write('c.yaml', Buffer.from('\ufeff' + DEPLOYMENT('c:1'), 'utf16le'));
    await write('d.yaml', Buffer.from([0xc3, 0x28]));
    const events: AirgapEvent[] = [];
    const files = ['a.yaml', 'b.json', 'c.yaml', 'd.yaml'].map((path) => ({ path }));
    const locked = await lock({ files }, { report: (event) => events.push(event) });
    expect(locked.map(({ unread }) => unread)).toEqual([
      ['is not read'],
      undefined,
      undefined,
      [expect.stringContaining('not text')],
    ]);
    expect(locked[2]?.images).toEqual(['docker.io/library/c:1']);
    expect(events.filter(({ type }) => type === 'warning')).toHaveLength(2);
  });

  test('that are too large to be a manifest are carried, with a warning', async () => {
    await write('big.yaml', Buffer.alloc(MANIFEST_FILE_LIMIT + 1, ' '));
    const events: AirgapEvent[] = [];
    const [file] = await lock({ files: [{ path: 'big.yaml' }] }, { report: (event) => events.push(event) });
    expect(file?.size).toBe(MANIFEST_FILE_LIMIT + 1);
    expect(events.filter(({ type }) => type === 'warning')).toHaveLength(1);
    expect(asked).toEqual([]);
  });
});

test('an interruption ends it', async () => {
  const abort = new AbortController();
  abort.abort(new Error('stop'));
  await expect(lock({ elastic: {} }, { signal: abort.signal })).rejects.toThrow('stop');
  expect(upstream.requests).toEqual([]);
});
