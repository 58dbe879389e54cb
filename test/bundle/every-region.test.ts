// A bundle in which any byte differs is refused, with the name of what is wrong: cases are generated for every region that
// the geometry of a real bundle has. MUTATION_SEED and MUTATION_CASES (per region) can be set.
import { copyFile, mkdir, mkdtemp, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BundleManifest } from '../../src/bundle/manifest.ts';
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
let manifest: BundleManifest;
let regions: Region[];

beforeAll(async () => {
  console.log(`MUTATION_SEED=${SEED} MUTATION_CASES=${CASES}`);
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-mutations-'));
  tar = join(folder, 'site.tar');
  const bundle = await smallBundle('mutations', keys);
  ({ bytes: original, manifest } = bundle);
  regions = regionsOf(bundle.geometry);
  await writeFile(tar, original);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The error a bundle is refused with; fails when it is accepted, or when anything but an AirgapError is thrown. */
async function refusal(paths: string | string[]): Promise<AirgapError> {
  try {
    const bundle = await openBundle(paths, { keys: [keys.publicKey] });
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

describe('a set of volumes', () => {
  const VOLUME = 4096;
  let set: string;
  let count: number;
  const volume = (number: number): string => join(set, `site.tar.${String(number).padStart(3, '0')}`);

  async function fresh(): Promise<void> {
    set = await mkdtemp(join(folder, 'set-'));
    count = Math.ceil(original.byteLength / VOLUME);
    for (let i = 0; i < count; i++) await writeFile(volume(i + 1), original.subarray(i * VOLUME, (i + 1) * VOLUME));
  }

  test('whole is accepted, by its folder, its first and its last volume', async () => {
    await fresh();
    for (const path of [set, volume(1), volume(count)]) {
      const bundle = await openBundle(path, { keys: [keys.publicKey] });
      expect((await verifyBundle(bundle)).entries).toBe(manifest.entries.length);
      await bundle.close();
    }
  });

  test('lacking any one of them is refused with exit 4 and its number', async () => {
    await fresh();
    for (let number = 1; number <= count; number++) {
      await rename(volume(number), join(set, 'aside'));
      const error = await refusal(set);
      expect([error.exitStatus, error.code], `volume ${number}`).toEqual([4, 'VOLUME_MISSING']);
      expect(error.message).toContain(`${number}`);
      await rename(join(set, 'aside'), volume(number));
    }
  });

  test('with two of them swapped is refused with exit 3', async () => {
    await fresh();
    for (let number = 1; number < count - 1; number++) {
      await swap(volume(number), volume(number + 1));
      expect((await refusal(set)).exitStatus, `volumes ${number} and ${number + 1}`).toBe(3);
      await swap(volume(number), volume(number + 1));
    }
  });

  test('with a foreign, doubled, shortened or additional one is refused with exit 3', async () => {
    await fresh();
    const cases: Record<string, () => Promise<void>> = {
      foreign: () => writeFile(volume(2), Buffer.alloc(VOLUME, 7)),
      doubled: () => copyFile(volume(1), volume(2)),
      shortened: () => truncate(volume(2), VOLUME - 1),
      'shortened at its end': () => truncate(volume(count), 10),
      additional: () => copyFile(volume(count), volume(count + 1)),
    };
    for (const [name, change] of Object.entries(cases)) {
      await fresh();
      await change();
      expect((await refusal(set)).exitStatus, name).toBe(3);
    }
  });

  test('with one number twice in two folders is refused with exit 3', async () => {
    await fresh();
    const other = join(set, 'other');
    await mkdir(other);
    await copyFile(volume(2), join(other, 'site.tar.002'));
    expect((await refusal([set, other])).exitStatus).toBe(3);
  });

  async function swap(a: string, b: string): Promise<void> {
    await rename(a, join(set, 'aside'));
    await rename(b, a);
    await rename(join(set, 'aside'), b);
  }
});
