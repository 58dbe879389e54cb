// Locked files into the cache, as build does it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchFile, fileDescriptor } from '../../../src/build/files/fetch-file.ts';
import { fullUrls } from '../../../src/build/full-urls.ts';
import type { LockedFile } from '../../../src/bundle/lock.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { AirgapError } from '../../../src/core/errors.ts';
import { collect, lent } from '../../../src/core/streams.ts';
import { openCache, type Cache } from '../../../src/oci/cache.ts';
import type { WebFetchOptions, WebFiles } from '../../../src/registry/web-files.ts';
import { randomBytes } from '../../support/random-image.ts';
import { rejected } from '../../support/thrown.ts';

const BYTES = randomBytes('file', 300_000);
const URL = 'https://h.example/file.bin';
const LOCKED: LockedFile = { name: 'file.bin', digest: digestOf(BYTES), size: BYTES.byteLength, verified: 'none' };
const BY_URL: LockedFile = { ...LOCKED, url: URL };
const BY_PATH: LockedFile = { ...LOCKED, path: 'own.bin' };

let folder: string;
let cache: Cache;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-fetch-'));
  cache = await openCache(join(folder, 'cache'), { self: { pid: process.pid, isAlive: () => false } });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Asked = WebFetchOptions & { readonly url: string };

/** Serves one file, and may break off. */
function web(content: Buffer | AirgapError, breakAt = Number.POSITIVE_INFINITY): WebFiles & { asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch = async function* (url: string, options: WebFetchOptions = {}): AsyncGenerator<Uint8Array> {
    asked.push({ url, ...options });
    if (content instanceof AirgapError) throw content;
    for (let at = options.start ?? 0; at < content.byteLength; at += 10_000) {
      if (at >= breakAt) throw new Error('the connection broke');
      yield content.subarray(at, at + 10_000);
    }
  };
  return {
    asked,
    read: () => Promise.reject(new Error('a file is never read whole')),
    fetch,
    borrow: (url, how) => lent(fetch(url, how)),
    close: async () => undefined,
  };
}

const fetched = (file: LockedFile, from: WebFiles = web(BYTES), urls = urlsOf()) =>
  fetchFile(file, { folder, cache, web: from, urls });
/** airgap.yaml has these URLs. */
const urlsOf = (...urls: string[]) =>
  fullUrls({ files: urls.map((url) => ({ url })), charts: [] }, { web: web(BYTES) });
const inCache = () => collect(cache.fetch(fileDescriptor(BY_URL)), 1e9);

describe('a file by URL', () => {
  test('comes into the cache with its size known, and is told of', async () => {
    const from = web(BYTES);
    const { signal } = new AbortController();
    let told = 0;
    await fetchFile(BY_URL, { folder, cache, web: from, urls: urlsOf(), signal, progress: (bytes) => (told += bytes) });
    expect(await inCache()).toEqual(BYTES);
    expect(from.asked).toEqual([{ url: URL, size: BYTES.byteLength, start: 0, signal }]);
    expect(told).toBe(BYTES.byteLength);
  });

  test('whose query is not in the lock is downloaded with that of airgap.yaml', async () => {
    const file: LockedFile = { ...BY_URL, queryWithheld: true };
    const from = web(BYTES);
    await fetched(file, from, urlsOf(`${URL}?sig=new`));
    expect(from.asked.map(({ url }) => url)).toEqual([`${URL}?sig=new`]);
  });

  test('whose query is not in the lock, and not in airgap.yaml either, is CONFIG_INVALID', async () => {
    const file: LockedFile = { ...BY_URL, queryWithheld: true };
    for (const urls of [urlsOf(), urlsOf('https://other.example/file.bin?sig=new')])
      expect((await rejected(fetched(file, web(BYTES), urls))).code).toBe('CONFIG_INVALID');
  });

  test('that is in the cache is not asked for', async () => {
    await fetched(BY_URL);
    const from = web(BYTES);
    await fetched(BY_URL, from);
    expect(from.asked).toEqual([]);
  });

  test('after a break is gone on with', async () => {
    await expect(fetched(BY_URL, web(BYTES, 200_000))).rejects.toThrow('broke');
    const from = web(BYTES);
    await fetched(BY_URL, from);
    expect(from.asked.map(({ start }) => start)).toEqual([200_000]);
    expect(await inCache()).toEqual(BYTES);
  });

  test.each([
    ['another', Buffer.concat([BYTES.subarray(0, -1), Buffer.of(1)])],
    ['longer', Buffer.concat([BYTES, BYTES])],
    ['shorter', BYTES.subarray(0, -1)],
  ])('that is %s than locked is refused, with the way out', async (_what, content) => {
    const error = await rejected(fetched(BY_URL, web(content)));
    expect([error.code, error.exitStatus]).toEqual(['DIGEST_MISMATCH', 3]);
    expect(error.message).toMatch(/^file\.bin: https:\/\/h\.example\/file\.bin is not the file that was locked: /);
    expect(error.message).toContain(BY_URL.digest);
    expect(error.hint).toContain('lock --check');
    expect(await cache.exists(fileDescriptor(BY_URL))).toBe(false);
  });

  test('that is gone is said to have been locked', async () => {
    const gone = new AirgapError('CONTENT_MISSING', 'http://mirror.example/file.bin: not found');
    const error = await rejected(fetched(BY_URL, web(gone)));
    expect([error.code, error.exitStatus]).toEqual(['CONTENT_MISSING', 4]);
    expect(error.message).toBe(`file.bin: ${URL} was locked and is gone: ${gone.message}`);
  });

  test('keeps other errors, with its name in front', async () => {
    const failure = new AirgapError('REGISTRY_UNREACHABLE', 'h.example does not answer', { hint: 'try again' });
    const error = await rejected(fetched(BY_URL, web(failure)));
    expect(error).toMatchObject({ code: failure.code, message: `file.bin: ${failure.message}`, hint: failure.hint });
  });
});

describe('a file by path', () => {
  test('is read from its folder, and no more once it is in the cache', async () => {
    await writeFile(join(folder, 'own.bin'), BYTES);
    await fetched(BY_PATH);
    await rm(join(folder, 'own.bin'));
    await fetched(BY_PATH);
    expect(await inCache()).toEqual(BYTES);
  });

  test('that changed since is refused', async () => {
    await writeFile(join(folder, 'own.bin'), 'changed');
    const error = await rejected(fetched(BY_PATH));
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(error.message).toContain('own.bin is not the file that was locked');
  });

  test('that is gone is named', async () => {
    const error = await rejected(fetched(BY_PATH));
    expect(error.code).toBe('FILE_NOT_FOUND');
    expect(error.message).toContain(join(folder, 'own.bin'));
  });
});

test('a lock that does not say where from is refused', async () => {
  expect((await rejected(fetched(LOCKED))).code).toBe('CONFIG_INVALID');
});
