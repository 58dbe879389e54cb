// Content that comes into the cache without anybody knowing its digest before.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHUNK_SIZE, chunkHashes } from '../../src/core/chunks.ts';
import { hexOf } from '../../src/core/digest.ts';
import { AirgapError } from '../../src/core/errors.ts';
import { collect, lent, type ByteStream } from '../../src/core/streams.ts';
import { openCache, type Cache } from '../../src/oci/cache.ts';
import { contentOf } from '../../src/oci/content.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import { randomBytes } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const PID = 4711;
const BYTES = randomBytes('add', 300_000);
const BLOB = { digest: descriptorOf(BYTES, 'x').digest, size: BYTES.byteLength };
let folder: string;
let cache: Cache;

const opened = (pid: number, alive: readonly number[] = []): Promise<Cache> =>
  openCache(folder, { self: { pid, isAlive: (other) => alive.includes(other) } });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-cache-'));
  cache = await opened(PID);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const files = async (part: string): Promise<string[]> => readdir(join(folder, part));
const nothingIsLeft = async () => {
  expect(await files('ingest')).toEqual([]);
  expect(await files('blobs/sha256')).toEqual([]);
};

async function* pieces(bytes: Buffer, size = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

/** Gives the first half, and the rest when it is told to. */
function held(bytes: Buffer) {
  const half = Promise.withResolvers<undefined>();
  const rest = Promise.withResolvers<undefined>();
  async function* open(): AsyncGenerator<Buffer> {
    yield* pieces(bytes.subarray(0, bytes.byteLength / 2));
    half.resolve(undefined);
    await rest.promise;
    yield* pieces(bytes.subarray(bytes.byteLength / 2));
  }
  return { stream: open(), half: half.promise, release: () => rest.resolve(undefined) };
}

describe('what is added', () => {
  test.each([0, 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE - 1])(
    'of %d bytes is there under its digest, with its chunk hashes',
    async (size) => {
      const bytes = randomBytes('size', size);
      const told: number[] = [];
      const blob = await cache.add(lent(pieces(bytes, 100_000)), { progress: (count) => told.push(count) });
      expect(blob).toEqual({ digest: descriptorOf(bytes, 'x').digest, size });
      expect((await collect(cache.fetch(blob), size)).equals(bytes)).toBe(true);
      // made in the same pass: nothing is read for them
      await rm(join(folder, 'blobs/sha256', hexOf(blob.digest)));
      expect(await cache.chunks(blob)).toEqual(chunkHashes(bytes));
      expect(told.reduce((sum, count) => sum + count, 0)).toBe(size);
      expect(await files('ingest')).toEqual([]);
    },
  );

  test('is not pushed again, and what was pushed is found', async () => {
    await cache.add(lent(pieces(BYTES)));
    const again = { open: (): ByteStream => expect.unreachable('it is there') };
    await cache.push({ ...BLOB, mediaType: 'x' }, again);
    const other = descriptorOf(randomBytes('other', 1000), 'x');
    await cache.push(other, contentOf(randomBytes('other', 1000)));
    expect((await cache.add(lent(pieces(randomBytes('other', 1000))))).digest).toBe(other.digest);
    expect(await files('blobs/sha256')).toHaveLength(2);
    expect(await files('ingest')).toEqual([]);
  });

  test('several times at once, here and in another process, is there once', async () => {
    const beside = await opened(PID + 1, [PID]);
    const added = await Promise.all([cache, cache, beside].map((each) => each.add(lent(pieces(BYTES)))));
    expect(added).toEqual([BLOB, BLOB, BLOB]);
    expect(await collect(cache.fetch(BLOB), BLOB.size)).toEqual(BYTES);
    expect(await files('blobs/sha256')).toHaveLength(1);
    expect(await files('ingest')).toEqual([]);
  });
});

describe('nothing is left', () => {
  test('of a stream that breaks', async () => {
    async function* breaking() {
      yield* pieces(BYTES);
      throw new Error('the connection broke');
    }
    await expect(cache.add(lent(breaking()))).rejects.toThrow('the connection broke');
    await nothingIsLeft();
  });

  test('of an abort, whose reason is the error', async () => {
    const controller = new AbortController();
    const stop = new Error('stop');
    async function* aborting() {
      yield BYTES;
      controller.abort(stop);
      yield BYTES;
    }
    await expect(cache.add(lent(aborting()), { signal: controller.signal })).rejects.toBe(stop);
    await nothingIsLeft();
  });

  test('of content over the limit, which is not read to its end', async () => {
    let ended = false;
    async function* endless() {
      try {
        for (;;) yield Buffer.alloc(1000);
      } finally {
        ended = true;
      }
    }
    expect((await rejected(cache.add(lent(endless()), { limit: 10_000 }))).code).toBe('REGISTRY_PROTOCOL');
    expect(ended).toBe(true);
    const tooLong = () => new AirgapError('CONFIG_INVALID', 'this file is too long');
    expect((await rejected(cache.add(lent(endless()), { limit: 10_000, tooLong }))).code).toBe('CONFIG_INVALID');
    await nothingIsLeft();
  });

  test('of content that is a byte longer than the limit', async () => {
    const { code } = await rejected(cache.add(lent(pieces(BYTES)), { limit: BYTES.byteLength - 1 }));
    expect(code).toBe('REGISTRY_PROTOCOL');
    await nothingIsLeft();
  });

  test('unless it is just as long as the limit', async () => {
    expect(await cache.add(lent(pieces(BYTES)), { limit: BYTES.byteLength })).toEqual(BLOB);
  });
});

describe('what another process left', () => {
  test('goes when the cache is opened, if that process is gone', async () => {
    const { stream, half, release } = held(BYTES);
    const adding = cache.add(lent(stream));
    await half;
    expect(await files('ingest')).toHaveLength(1);
    await opened(PID + 1, [PID]);
    expect(await files('ingest')).toHaveLength(1);
    await opened(PID + 1);
    expect(await files('ingest')).toEqual([]);
    release();
    await rejected(adding);
    await nothingIsLeft();
  });

  test('goes if it had our own id, as in containers, while what we are adding stays', async () => {
    const { stream, half, release } = held(BYTES);
    const adding = cache.add(lent(stream));
    await half;
    const [ours = ''] = await files('ingest');
    const left = ours.replace(/.$/, (end) => (end === 'x' ? 'y' : 'x'));
    await mkdir(join(folder, 'ingest', left));
    await writeFile(join(folder, 'ingest', left, 'blob'), 'half');
    await opened(PID);
    expect(await files('ingest')).toEqual([ours]);
    release();
    expect(await adding).toEqual(BLOB);
    expect(await files('ingest')).toEqual([]);
  });

  test('stays if it is part of a blob that can be gone on with', async () => {
    async function* breaking() {
      yield BYTES.subarray(0, 100_000);
      throw new Error('the connection broke');
    }
    await expect(cache.push({ ...BLOB, mediaType: 'x' }, { open: breaking })).rejects.toThrow('broke');
    const before = await files('ingest');
    expect(before).toHaveLength(1);
    await opened(PID + 1);
    expect(await files('ingest')).toEqual(before);
  });
});
