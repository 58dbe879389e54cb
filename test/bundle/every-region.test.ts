// A bundle in which any byte differs is refused, with the name of what is wrong: cases are generated for every region that
// the geometry of a real bundle has. MUTATION_SEED and MUTATION_CASES (per region) can be set.
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBundle } from '../../src/bundle/reader.ts';
import { verifyBundle } from '../../src/bundle/verify.ts';
import { AirgapError } from '../../src/core/errors.ts';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { regionsOf, type Region } from '../support/regions.ts';
import { seeded } from '../support/seeded.ts';
import { smallBundle } from '../support/small-bundle.ts';

const SEED = Number(process.env['MUTATION_SEED'] ?? 20_260_717);
const CASES = Number(process.env['MUTATION_CASES'] ?? 25);
const keys = generateKeyPair();

let folder: string;
let tar: string;
let original: Buffer;
let regions: Region[];

beforeAll(async () => {
  console.log(`MUTATION_SEED=${SEED} MUTATION_CASES=${CASES}`);
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-mutations-'));
  tar = join(folder, 'site.tar');
  const bundle = await smallBundle('mutations', keys);
  original = bundle.bytes;
  regions = regionsOf(bundle.geometry);
  await writeFile(tar, original);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The error a bundle is refused with; fails when it is accepted, or when anything but an AirgapError is thrown. */
async function refusal(path: string): Promise<AirgapError> {
  try {
    const bundle = await openBundle(path, { keys: [keys.publicKey] });
    try {
      await verifyBundle(bundle);
    } finally {
      await bundle.close();
    }
  } catch (error) {
    if (error instanceof AirgapError) return error;
    throw error;
  }
  throw new Error('the bundle was accepted');
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** What the message about a region must contain. */
function says({ kind, name }: Region): RegExp {
  return kind === 'signature' ? /signature/ : new RegExp(escape(name));
}

async function withByte(position: number, mask: number, task: () => Promise<void>): Promise<void> {
  const file = await open(tar, 'r+');
  try {
    await file.write(Buffer.from([(original[position] ?? 0) ^ mask]), 0, 1, position);
    await task();
  } finally {
    await file.write(original, position, 1, position);
    await file.close();
  }
}

test('the regions cover every byte of the file once', () => {
  let at = 0;
  for (const region of regions) {
    expect(region.start).toBe(at);
    at += region.size;
  }
  expect(at).toBe(original.byteLength);
});

test('one differing byte in any region is refused with exit 3 and its name', { timeout: 120_000 }, async () => {
  const random = seeded(SEED);
  let cases = 0;
  for (const region of regions) {
    const ends = [0, region.size - 1];
    const inside = Array.from({ length: CASES }, () => random.below(region.size));
    for (const offset of new Set([...ends, ...inside])) {
      const mask = random.between(1, 255);
      await withByte(region.start + offset, mask, async () => {
        const error = await refusal(tar);
        const where = `${region.name} + ${offset} ^ ${mask}`;
        expect(error.exitStatus, `${where}: ${error.message}`).toBe(3);
        expect(error.message, where).toMatch(says(region));
        cases++;
      });
    }
  }
  expect(cases).toBeGreaterThan(regions.length * 2);
  expect((await readFile(tar)).equals(original)).toBe(true);
});

describe('a length that differs', () => {
  test.each([1, 511, 512, 1024, 10_240])('%d appended bytes are refused with exit 3', async (length) => {
    const longer = join(folder, 'longer.tar');
    await writeFile(longer, Buffer.concat([original, Buffer.alloc(length)]));
    expect((await refusal(longer)).exitStatus).toBe(3);
  });

  test('a file cut anywhere is refused with exit 3', async () => {
    const random = seeded(SEED, 1);
    const cut = join(folder, 'cut.tar');
    const lengths = [
      0,
      1,
      511,
      512,
      original.byteLength - 1,
      original.byteLength - 1024,
      ...Array.from({ length: CASES }, () => random.below(original.byteLength)),
    ];
    for (const length of lengths) {
      await writeFile(cut, original.subarray(0, length));
      expect((await refusal(cut)).exitStatus, `${length} bytes`).toBe(3);
    }
  });
});
