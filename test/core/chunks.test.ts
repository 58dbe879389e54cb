import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHUNK_HASH_SIZE, CHUNK_SIZE, chunkCount, ChunkHasher, chunkHashes } from '../../src/core/chunks.ts';
import { randomBytes } from '../support/random-image.ts';

const BYTES = randomBytes('chunks', CHUNK_SIZE * 2 + 12_345);

/** The definition, written down once more. */
function byDefinition(bytes: Buffer): Buffer {
  const hashes: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength; at += 4 * 1024 * 1024)
    hashes.push(
      createHash('sha256')
        .update(bytes.subarray(at, at + 4 * 1024 * 1024))
        .digest(),
    );
  return Buffer.concat(hashes);
}

describe('chunk hashes', () => {
  test.each([0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, CHUNK_SIZE * 2, BYTES.byteLength])(
    'of %d bytes are the sha256 of every 4 MiB',
    async (size) => {
      const bytes = BYTES.subarray(0, size);
      const hasher = new ChunkHasher();
      await hasher.update([bytes]);
      const hashes = await hasher.digest();
      expect(hashes).toEqual(byDefinition(bytes));
      expect(chunkHashes(bytes)).toEqual(hashes);
      expect(hashes.byteLength).toBe(chunkCount(size) * CHUNK_HASH_SIZE);
    },
  );

  test('do not depend on how the bytes are cut', async () => {
    const expected = byDefinition(BYTES);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: BYTES.byteLength }), { maxLength: 8 }), async (cuts) => {
        const hasher = new ChunkHasher();
        const at = [0, ...cuts.sort((a, b) => a - b), BYTES.byteLength];
        for (let i = 1; i < at.length; i++) await hasher.update([BYTES.subarray(at[i - 1], at[i])]);
        return (await hasher.digest()).equals(expected);
      }),
      { numRuns: 20 },
    );
  });
});
