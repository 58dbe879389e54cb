import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHUNK_SIZE, chunkHashes } from '../../src/core/chunks.ts';
import { digestOf, hexOf } from '../../src/core/digest.ts';
import { collect, lent } from '../../src/core/streams.ts';
import { openCache, type Cache } from '../../src/oci/cache.ts';
import { contentOf } from '../../src/oci/content.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import type { Content } from '../../src/oci/target.ts';
import { randomBytes } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const self = { pid: process.pid, isAlive: () => false };
const BYTES = randomBytes('cache', 300_000);
const BLOB = descriptorOf(BYTES, 'application/octet-stream');
let folder: string;
let cache: Cache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-cache-'));
  cache = await openCache(folder, { self });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ingestPath = (name: string): string => join('ingest', name);
const read = () => collect(cache.fetch(BLOB), 1e9);

/** Content that says where it was opened, and may break off. */
function watched(bytes: Buffer, breakAt = Number.POSITIVE_INFINITY): Content & { readonly opened: number[] } {
  const opened: number[] = [];
  return {
    opened,
    async *open(start) {
      opened.push(start);
      for (let at = start; at < bytes.byteLength; at += 10_000) {
        if (at >= breakAt) throw new Error('the connection broke');
        yield bytes.subarray(at, at + 10_000);
      }
    },
  };
}

describe('what comes in', () => {
  test('is there afterwards, bit for bit, and leaves nothing else', async () => {
    expect(await cache.exists(BLOB)).toBe(false);
    await cache.push(BLOB, watched(BYTES));
    expect(await cache.exists(BLOB)).toBe(true);
    expect(await read()).toEqual(BYTES);
    expect(await collect(cache.fetch(BLOB, { start: 299_990 }), 100)).toEqual(BYTES.subarray(299_990));
    expect(await readdir(join(folder, 'ingest'))).toEqual([]);
  });

  test('is read from wherever it is wanted', async () => {
    await cache.push(BLOB, watched(BYTES));
    const reader = await cache.open(BLOB);
    try {
      expect(await reader.read(Buffer.alloc(100), 200_000)).toEqual(BYTES.subarray(200_000, 200_100));
      expect(await reader.read(Buffer.alloc(100), 299_990)).toEqual(BYTES.subarray(299_990));
      expect(await reader.read(Buffer.alloc(100), 300_000)).toEqual(Buffer.alloc(0));
    } finally {
      await reader.close();
    }
  });

  test.each([0, 1, CHUNK_SIZE, CHUNK_SIZE + 1])('of %d bytes has the chunk hashes of its content', async (size) => {
    const bytes = randomBytes('size', size);
    const blob = descriptorOf(bytes, 'x');
    await cache.push(blob, contentOf(bytes));
    expect(await cache.chunks(blob)).toEqual(chunkHashes(bytes));
  });

  test.each([
    ['wrong', Buffer.concat([BYTES.subarray(0, -1), Buffer.from([1])])],
    ['too short', BYTES.subarray(0, -1)],
    ['too long', Buffer.concat([BYTES, BYTES])],
  ])('and is %s is never committed', async (_case, bytes) => {
    expect((await rejected(cache.push(BLOB, contentOf(bytes)))).code).toBe('DIGEST_MISMATCH');
    expect(await cache.exists(BLOB)).toBe(false);
    expect(await readdir(join(folder, 'ingest'))).toEqual([]);
  });

  test('after a break goes on where it was, in this process or the next', async () => {
    await expect(cache.push(BLOB, watched(BYTES, 200_000))).rejects.toThrow('broke');
    const content = watched(BYTES);
    const next = await openCache(folder, { self });
    await next.push(BLOB, content);
    expect(content.opened).toEqual([200_000]);
    expect(await read()).toEqual(BYTES);
  });

  test('over a partial file that is wrong is fetched once more from the start', async () => {
    await writeFile(join(folder, ingestPath(hexOf(BLOB.digest))), Buffer.alloc(1000));
    const content = watched(BYTES);
    await cache.push(BLOB, content);
    expect(content.opened).toEqual([1000, 0]);
    expect(await read()).toEqual(BYTES);
  });

  test('asked for twice at once is fetched once', async () => {
    const content = watched(BYTES);
    await Promise.all([cache.push(BLOB, content), cache.push(BLOB, content)]);
    expect(content.opened).toEqual([0]);
  });

  test('beside another process that fetches the same is fetched apart, and both end well', async () => {
    const lock = join(folder, ingestPath(`${hexOf(BLOB.digest)}.lock`));
    await writeFile(lock, '4711\n');
    const beside = await openCache(folder, { self: { pid: process.pid, isAlive: (pid) => pid === 4711 } });
    await beside.push(BLOB, watched(BYTES));
    expect(await read()).toEqual(BYTES);
    expect((await readFile(lock)).toString()).toBe('4711\n');
  });

  test('beside the lock of a process that is gone goes on with what it left', async () => {
    await writeFile(join(folder, ingestPath(`${hexOf(BLOB.digest)}.lock`)), '4711\n');
    await writeFile(join(folder, ingestPath(hexOf(BLOB.digest))), BYTES.subarray(0, 50_000));
    const content = watched(BYTES);
    await cache.push(BLOB, content);
    expect(content.opened).toEqual([50_000]);
  });
});

test('what killed processes left is removed by the next; what lives, or can be gone on with, stays', async () => {
  const [gone, alive] = [4711, 4712];
  const hex = hexOf(BLOB.digest);
  const other = hexOf(digestOf(Buffer.from('other')));
  const kept = [hex, `${hex}.${alive}`, `${other}.lock`];
  for (const name of [...kept, `${hex}.${gone}`]) await writeFile(join(folder, 'ingest', name), '');
  await writeFile(join(folder, 'ingest', `${hex}.lock`), `${gone}\n`);
  await writeFile(join(folder, 'ingest', `${other}.lock`), `${alive}\n`);
  await openCache(folder, { self: { pid: 1, isAlive: (pid) => pid === alive } });
  expect((await readdir(join(folder, 'ingest'))).sort()).toEqual(kept.sort());
});

describe('what is there', () => {
  beforeEach(() => cache.push(BLOB, watched(BYTES)));
  const path = () => join(folder, 'blobs', 'sha256', hexOf(BLOB.digest));

  test('is not fetched again', async () => {
    const content = watched(BYTES);
    await cache.push(BLOB, content);
    expect(content.opened).toEqual([]);
  });

  test('and was cut short is noticed and fetched again', async () => {
    await truncate(path(), 100);
    expect(await cache.exists(BLOB)).toBe(false);
    await cache.push(BLOB, watched(BYTES));
    expect(await read()).toEqual(BYTES);
  });

  test('is forgotten by drop', async () => {
    await cache.drop(BLOB.digest);
    expect(await cache.exists(BLOB)).toBe(false);
    expect((await rejected(read())).code).toBe('CONTENT_MISSING');
  });
});

describe('the chunk hashes of content are those of the bytes that its digest was computed from', () => {
  const bytes = randomBytes('chunks', 2 * CHUNK_SIZE + 1000);
  const blob = descriptorOf(bytes, 'x');
  const path = () => join(folder, 'blobs', 'sha256', hexOf(blob.digest));
  const other = randomBytes('other', bytes.byteLength);
  beforeEach(() => cache.push(blob, contentOf(bytes)));

  test('also where the file was replaced after it came in', async () => {
    await writeFile(path(), other);
    expect(await cache.chunks(blob)).toEqual(chunkHashes(bytes));
  });

  test('another process hashes the whole, and refuses what is not the digest', async () => {
    const next = await openCache(folder, { self });
    expect(await next.chunks(blob)).toEqual(chunkHashes(bytes));
    await writeFile(path(), other);
    const error = await rejected((await openCache(folder, { self })).chunks(blob));
    expect(error).toMatchObject({ code: 'DIGEST_MISMATCH', details: { expected: { digest: blob.digest } } });
  });

  test('a record that lies beside the blob is not believed', async () => {
    await mkdir(join(folder, 'chunks', 'sha256'), { recursive: true });
    await writeFile(join(folder, 'chunks', 'sha256', hexOf(blob.digest)), chunkHashes(other));
    await writeFile(path(), other);
    expect((await rejected((await openCache(folder, { self })).chunks(blob))).code).toBe('DIGEST_MISMATCH');
  });

  test('an empty file under the digest of something else is refused', async () => {
    const claimed = { digest: blob.digest, size: 0 };
    await writeFile(path(), '');
    expect((await rejected((await openCache(folder, { self })).chunks(claimed))).code).toBe('DIGEST_MISMATCH');
  });

  test('the hash of a body of one chunk is its digest, and costs no reading', async () => {
    await cache.push(BLOB, contentOf(BYTES));
    await rm(join(folder, 'blobs', 'sha256', hexOf(BLOB.digest)));
    const next = await openCache(folder, { self });
    expect(await next.chunks(BLOB)).toEqual(chunkHashes(BYTES));
  });
});

test('content that comes in under an unknown digest takes the place of a damaged file of its name', async () => {
  await writeFile(join(folder, 'blobs', 'sha256', hexOf(BLOB.digest)), Buffer.alloc(BYTES.byteLength));
  await cache.add(lent(contentOf(BYTES).open(0)));
  expect(await read()).toEqual(BYTES);
});

test('a folder that cannot be made is said by name', async () => {
  await writeFile(join(folder, 'file'), '');
  const error = await rejected(openCache(join(folder, 'file', 'cache'), { self }));
  expect(error.message).toContain(join(folder, 'file', 'cache'));
});
