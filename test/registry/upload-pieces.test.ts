// How an upload is cut, and what its requests are made of.
import { describe, expect, test } from 'vitest';
import { collect, type ByteStream } from '../../src/core/streams.ts';
import { pieceOf, UploadProgress } from '../../src/registry/upload-body.ts';
import { UploadPieces } from '../../src/registry/upload-pieces.ts';
import { sample, sampleBytes } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';

const MIB = 1024 * 1024;
const sizes = { chunkSize: 32 * MIB, chunkThreshold: 32 * MIB };

describe('pieces', () => {
  test('up to the threshold in one, above in chunks', () => {
    expect(new UploadPieces(32 * MIB, sizes).chunked).toBe(false);
    expect(new UploadPieces(32 * MIB + 1, sizes).chunked).toBe(true);
    const pieces = new UploadPieces(65 * MIB, sizes);
    expect(pieces.chunked).toBe(true);
    expect([pieces.end(0, 0), pieces.end(32 * MIB, 0), pieces.end(64 * MIB, 0)]).toEqual([
      32 * MIB,
      64 * MIB,
      65 * MIB,
    ]);
    expect(pieces.end(0, 40 * MIB)).toBe(40 * MIB);
  });

  test('too large: halved down to a bound, and never whole again', () => {
    const pieces = new UploadPieces(10 * MIB, sizes);
    expect(pieces.canBeWhole).toBe(true);
    expect(pieces.tooLarge()).toBe(true);
    expect(pieces.chunked).toBe(true);
    expect(pieces.end(0, 0)).toBe(5 * MIB);
    let more = 0;
    while (pieces.tooLarge()) more++;
    expect(more).toBe(7);
    expect(pieces.end(0, 0)).toBe(64 * 1024);
    expect(pieces.canBeWhole).toBe(false);
  });

  test('a large one that is refused whole is cut to chunks of the usual size', () => {
    const pieces = new UploadPieces(60 * MIB, { chunkSize: 8 * MIB, chunkThreshold: 64 * MIB });
    pieces.tooLarge();
    expect(pieces.end(0, 0)).toBe(8 * MIB);
  });

  test('cut once is an accident; cut again without anything arriving, pieces get smaller', () => {
    const pieces = new UploadPieces(100 * MIB, sizes);
    pieces.cut();
    pieces.arrived();
    pieces.cut();
    expect(pieces.end(0, 0)).toBe(32 * MIB);
    pieces.cut();
    expect(pieces.end(0, 0)).toBe(16 * MIB);
    for (let i = 0; i < 20; i++) pieces.cut();
    expect(pieces.end(0, 0)).toBe(MIB);
    const small = new UploadPieces(MIB, { ...sizes, chunkSize: 100_000 });
    small.cut();
    expect(small.chunked).toBe(false);
    small.cut();
    expect(small.chunked).toBe(true);
    expect(small.end(0, 0)).toBe(100_000);
  });
});

describe('the body of a piece', () => {
  const blob = sample(sampleBytes(1000));
  const inChunks = (bytes: Uint8Array, size = 64) => ({
    async *open(start: number): ByteStream {
      for (let at = start; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
      yield new Uint8Array();
    },
  });

  test.each([
    [0, 1000],
    [0, 500],
    [500, 1000],
    [64, 128],
    [100, 101],
  ])('is exactly the bytes from %i to %i', async (start, end) => {
    const told: number[] = [];
    const progress = new UploadProgress((bytes) => told.push(bytes));
    progress.skipTo(start);
    const body = pieceOf({ descriptor: blob.descriptor, content: inChunks(blob.bytes) }, { start, end }, progress);
    expect(body.length).toBe(end - start);
    expect(await collect(body.open(), 2000)).toEqual(blob.bytes.subarray(start, end));
    expect(told.reduce((sum, bytes) => sum + bytes, 0)).toBe(end - start);
    await collect(body.open(), 2000);
    expect(told.reduce((sum, bytes) => sum + bytes, 0)).toBe(end - start);
  });

  test.each([
    ['shorter', blob.bytes.subarray(0, 900)],
    ['longer', Buffer.concat([blob.bytes, Buffer.from('x')])],
    ['longer, in one', Buffer.concat([blob.bytes, blob.bytes])],
  ])('content that is %s than it should be never gives its last byte', async (_, bytes) => {
    for (const size of [64, 100, 5000]) {
      const progress = new UploadProgress(undefined);
      const body = pieceOf(
        { descriptor: blob.descriptor, content: inChunks(bytes, size) },
        { start: 0, end: 1000 },
        progress,
      );
      let given = 0;
      const read = async (): Promise<void> => {
        for await (const chunk of body.open()) given += chunk.byteLength;
      };
      const error = await rejected(read());
      expect(error.code).toBe('DIGEST_MISMATCH');
      expect(given).toBeLessThan(1000);
      expect(progress.failure).toBe(error);
    }
  });
});
