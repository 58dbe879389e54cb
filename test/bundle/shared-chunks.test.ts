// Memory of `serve` grew with its clients: each range of five bytes took three chunks, and each client that stopped kept its own.
import { beforeEach, describe, expect, test } from 'vitest';
import type { ChunkReader } from '../../src/bundle/chunk-reader.ts';
import type { BundleEntry } from '../../src/bundle/manifest.ts';
import { openBundle } from '../../src/bundle/reader.ts';
import { SharedChunks, SLICE, type SharedRange } from '../../src/bundle/shared-chunks.ts';
import { BufferPool } from '../../src/core/buffers.ts';
import { CHUNK_SIZE } from '../../src/core/chunks.ts';
import { digestOf } from '../../src/core/digest.ts';
import { keys, writtenTar } from '../support/bundle.ts';
import { randomBytes } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const COUNT = 2;
const BYTES = randomBytes('shared', 5 * CHUNK_SIZE + 100_000);
const SMALL = randomBytes('small', 1000);

let reads: number;
let damaged: boolean;
let buffers: BufferPool;
let chunks: ChunkReader;
let shared: SharedChunks;
let large: BundleEntry;
let small: BundleEntry;

beforeEach(async () => {
  const { path } = await writtenTar({ files: { large: BYTES, small: SMALL } });
  const bundle = await openBundle(path, { keys: [keys.publicKey] });
  [reads, damaged] = [0, false];
  chunks = {
    ...bundle.chunks,
    read: async (...args) => {
      reads++;
      expect(buffers.lent).toBeLessThanOrEqual(COUNT);
      const found = await bundle.chunks.read(...args);
      return damaged ? undefined : found;
    },
  };
  buffers = new BufferPool({ size: CHUNK_SIZE, count: COUNT });
  shared = new SharedChunks(chunks, { buffers });
  large = entry(bundle.manifest.entries, BYTES);
  small = entry(bundle.manifest.entries, SMALL);
  return () => bundle.close();
});

function entry(entries: readonly BundleEntry[], bytes: Buffer): BundleEntry {
  const found = entries.find(({ digest }) => digest === digestOf(bytes));
  if (!found) throw new Error('the bundle lacks it');
  return found;
}

async function bytesOf(of: BundleEntry, range: SharedRange): Promise<Buffer> {
  const slices: Buffer[] = [];
  for await (const { bytes } of shared.read(of, range)) {
    expect(bytes.byteLength).toBeLessThanOrEqual(SLICE);
    slices.push(Buffer.from(bytes));
  }
  return Buffer.concat(slices);
}

/** Takes one slice, and nothing more. */
async function stalled(range: SharedRange): Promise<AsyncGenerator> {
  const reader = shared.read(large, range);
  await reader.next();
  return reader;
}

test.each([
  [0, 5],
  [0, BYTES.byteLength],
  [CHUNK_SIZE - 10, CHUNK_SIZE + 10],
  [2 * CHUNK_SIZE, 3 * CHUNK_SIZE],
  [BYTES.byteLength - 1, BYTES.byteLength],
])('a range from %i to %i has just these bytes', async (start, end) => {
  expect((await bytesOf(large, { start, end })).equals(BYTES.subarray(start, end))).toBe(true);
});

test('hundreds of ranges of five bytes are copied out of chunks that are read once', async () => {
  const starts = Array.from({ length: 600 }, (_, i) => (i * 977) % CHUNK_SIZE);
  const found = await Promise.all(starts.map((start) => bytesOf(large, { start, end: start + 5 })));
  expect(found).toEqual(starts.map((start) => BYTES.subarray(start, start + 5)));
  expect([reads, buffers.allocated]).toEqual([1, 1]);
});

test('many readers of different chunks wait for each other, and each gets its bytes with the same buffers', async () => {
  const ranges = Array.from({ length: 30 }, (_, i) => ({
    start: (i % 5) * CHUNK_SIZE + i,
    end: (1 + (i % 5)) * CHUNK_SIZE,
  }));
  const found = await Promise.all(ranges.map((range) => bytesOf(large, range)));
  for (const [i, { start, end }] of ranges.entries()) expect(found[i]?.equals(BYTES.subarray(start, end))).toBe(true);
  expect([buffers.allocated, buffers.waiting]).toEqual([COUNT, 0]);
});

test('readers that take a slice and stop hold nothing: others are served, and they too when they come back', async () => {
  const readers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => stalled({ start: (i % 5) * CHUNK_SIZE, end: BYTES.byteLength })),
  );
  expect((await bytesOf(large, { start: 0, end: BYTES.byteLength })).equals(BYTES)).toBe(true);
  const next = (await readers[7]?.next())?.value as { bytes: Buffer };
  expect(next.bytes.equals(BYTES.subarray(2 * CHUNK_SIZE + SLICE, 2 * CHUNK_SIZE + 2 * SLICE))).toBe(true);
  expect(buffers.allocated).toBe(COUNT);
});

test('what is small takes no buffer', async () => {
  await Promise.all(Array.from({ length: 50 }, () => bytesOf(small, { start: 10, end: 20 })));
  expect(await bytesOf(small, { start: 0, end: 1000 })).toEqual(SMALL);
  expect(buffers.allocated).toBe(0);
});

describe('a chunk', () => {
  test('that is damaged is refused to all who wait for it, and to the next one, and holds no buffer', async () => {
    damaged = true;
    const waiting = Array.from({ length: 5 }, () => rejected(bytesOf(large, { start: 5, end: 50 })));
    expect(new Set((await Promise.all(waiting)).map(({ code }) => code))).toEqual(new Set(['BUNDLE_CORRUPT']));
    expect((await rejected(bytesOf(large, { start: 0, end: 5 }))).code).toBe('BUNDLE_CORRUPT');
    expect((await rejected(bytesOf(small, { start: 0, end: 5 }))).code).toBe('BUNDLE_CORRUPT');
    damaged = false;
    expect(await bytesOf(large, { start: 0, end: 5 })).toEqual(BYTES.subarray(0, 5));
    expect(buffers.lent).toBe(1);
  });

  test('that its only reader gives up waiting for is not read', async () => {
    const held = await Promise.all([buffers.lend(CHUNK_SIZE), buffers.lend(CHUNK_SIZE)]);
    const [stop, reason] = [new AbortController(), new Error('the client left')];
    const leaving = bytesOf(large, { start: 0, end: 5, signal: stop.signal });
    const staying = bytesOf(large, { start: CHUNK_SIZE, end: CHUNK_SIZE + 5 });
    stop.abort(reason);
    await expect(leaving).rejects.toBe(reason);
    for (const loan of held) loan.giveBack();
    expect(await staying).toEqual(BYTES.subarray(CHUNK_SIZE, CHUNK_SIZE + 5));
    expect(reads).toBe(1);
  });

  test('is not waited for any more when all reading ends', async () => {
    const [stop, reason] = [new AbortController(), new Error('the server ends')];
    shared = new SharedChunks(chunks, { buffers, signal: stop.signal });
    const held = await Promise.all([buffers.lend(CHUNK_SIZE), buffers.lend(CHUNK_SIZE)]);
    const waiting = bytesOf(large, { start: 0, end: 5 });
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(bytesOf(small, { start: 0, end: 5 })).rejects.toBe(reason);
    for (const loan of held) loan.giveBack();
    expect(buffers.lent).toBe(0);
  });
});
