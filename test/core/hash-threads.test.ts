import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { CHUNK_SIZE, ChunkHasher, chunkHashes } from '../../src/core/chunks.ts';
import { HashThreads } from '../../src/core/hash-threads.ts';
import { hashingHere, type Hashing } from '../../src/core/hashing.ts';
import { randomBytes } from '../support/random-image.ts';

const MIB = 1024 * 1024;
const BYTES = randomBytes('hash threads', 5 * MIB + 321);
const open: HashThreads[] = [];

function threads(count: number): HashThreads {
  const made = new HashThreads(count);
  open.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((made) => made.close()));
});

function expected(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function found(hashing: Hashing, bytes: Uint8Array): Promise<string> {
  return Buffer.from(await hashing.sha256(bytes)).toString('hex');
}

describe.each([
  { name: 'here', make: () => hashingHere },
  { name: 'one thread', make: () => threads(1) },
  { name: 'three threads', make: () => threads(3) },
])('sha256, $name', ({ make }) => {
  test('of bytes of any size', async () => {
    const hashing = make();
    for (const size of [0, 1, 128 * 1024, MIB - 1, MIB, MIB + 1, 3 * MIB, BYTES.byteLength])
      expect(await found(hashing, BYTES.subarray(0, size))).toBe(expected(BYTES.subarray(0, size)));
  });

  test('of many at once', async () => {
    const hashing = make();
    const parts = Array.from({ length: 20 }, (_, i) => BYTES.subarray(i * 1000, i * 1000 + MIB + i));
    expect(await Promise.all(parts.map((part) => found(hashing, part)))).toEqual(parts.map(expected));
  });

  test('of pieces, however they are cut and without waiting between them', async () => {
    const hashing = make();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 0, max: BYTES.byteLength }), { maxLength: 4 }), { maxLength: 4 }),
        async (calls) => {
          const cuts = calls.flat().sort((a, b) => a - b);
          const pieces = [...cuts, BYTES.byteLength].map((end, i) => BYTES.subarray(cuts[i - 1] ?? 0, end));
          const [one, other] = [hashing.begin(), hashing.begin()];
          const taken = calls.map((call) => one.update(pieces.splice(0, call.length)));
          taken.push(other.update([BYTES]), one.update(pieces));
          await Promise.all(taken);
          const digests = await Promise.all([one.digest(), other.digest()]);
          return digests.every((digest) => Buffer.from(digest).toString('hex') === expected(BYTES));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('bytes that were taken in may change', async () => {
    const hash = make().begin();
    const bytes = Buffer.from(BYTES);
    await hash.update([bytes]);
    bytes.fill(0);
    expect(Buffer.from(await hash.digest()).toString('hex')).toBe(expected(BYTES));
  });

  test('chunk hashes are those of the definition', async () => {
    const bytes = Buffer.concat([BYTES, BYTES, BYTES]);
    const hasher = new ChunkHasher(make());
    for (let at = 0; at < bytes.byteLength; at += 3 * MIB) {
      const [end, middle] = [Math.min(at + 3 * MIB, bytes.byteLength), at + 1000];
      await hasher.update([bytes.subarray(at, middle), bytes.subarray(middle, end)]);
    }
    expect(await hasher.digest()).toEqual(chunkHashes(bytes));
    expect(bytes.byteLength).toBeGreaterThan(3 * CHUNK_SIZE);
  });
});

describe('threads', () => {
  test('that are closed fail what is under way, and do not hang', async () => {
    const hashing = threads(1);
    const hash = hashing.begin();
    await hash.update([BYTES]);
    await hashing.close();
    await expect(hash.digest()).rejects.toThrow('the hashing thread ended');
    await expect(hash.update([BYTES])).rejects.toThrow('the hashing thread ended');
  });

  test('may be closed twice, and never started', async () => {
    const hashing = threads(2);
    await hashing.close();
    await hashing.close();
  });
});
