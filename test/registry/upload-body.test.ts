import { expect, test } from 'vitest';
import { SMALL } from '../../src/core/buffers.ts';
import type { Borrowed } from '../../src/core/streams.ts';
import { pieceOf, UploadProgress } from '../../src/registry/upload-body.ts';
import { sample, sampleBytes } from '../support/registry-bench.ts';

const BLOB = sample(sampleBytes(1_000_000));

async function* lend(size: number, start: number): AsyncGenerator<Borrowed> {
  const memory = Buffer.alloc(size);
  for (let at = start; at < BLOB.bytes.byteLength; at += size) {
    yield { bytes: memory.subarray(0, BLOB.bytes.copy(memory, 0, at, at + size)) };
    memory.fill(0);
  }
}

/** As a socket does: large parts are sent when the next one is asked for, small ones later. */
async function sent(size: number, piece: { start: number; end: number }): Promise<Buffer> {
  const content = { ...BLOB.content, borrow: (start: number) => lend(size, start) };
  const parts: Uint8Array[] = [];
  for await (const part of pieceOf({ ...BLOB, content }, piece, new UploadProgress(undefined)).open())
    parts.push(part.byteLength < SMALL ? part : Buffer.from(part));
  return Buffer.concat(parts);
}

test.each([
  ['the whole', 200_000, { start: 0, end: 1_000_000 }],
  ['a piece that ends a little behind a chunk', 200_000, { start: 0, end: 400_010 }],
  ['a piece that begins a little before one', 200_000, { start: 350_000, end: 1_000_000 }],
  ['small chunks', 1000, { start: 500, end: 10_000 }],
])('%s of lent content is as it was when it was lent', async (_, size, piece) => {
  expect((await sent(size, piece)).equals(BLOB.bytes.subarray(piece.start, piece.end))).toBe(true);
});
