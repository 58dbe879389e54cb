// A bundle in which any byte differs is refused, with the name of what is wrong: cases are generated for every region that
// the geometry of a real bundle has. MUTATION_SEED and MUTATION_CASES (per region) can be set.
import { copyFile, mkdir, mkdtemp, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packBundle } from '../../src/build/pack.ts';
import type { Lock } from '../../src/bundle/lock.ts';
import { geometryOf, type Geometry } from '../../src/bundle/geometry.ts';
import { parseBundleManifest, type BundleManifest } from '../../src/bundle/manifest.ts';
import { openBundle } from '../../src/bundle/reader.ts';
import { verifyBundle } from '../../src/bundle/verify.ts';
import { writeBundle } from '../../src/bundle/writer.ts';
import { digestOf } from '../../src/core/digest.ts';
import { AirgapError } from '../../src/core/errors.ts';
import { openCache } from '../../src/oci/cache.ts';
import { generateKeyPair, parsePrivateKey } from '../../src/signing/private-key.ts';
import { keySigner } from '../../src/signing/signer.ts';
import { randomImage, storeGraph } from '../support/random-image.ts';

const SEED = Number(process.env['MUTATION_SEED'] ?? 20_260_717);
const CASES = Number(process.env['MUTATION_CASES'] ?? 25);
const NAME = 'docker.elastic.co/kibana/kibana:9.5.2';
const self = { pid: process.pid, isAlive: () => false };
const keys = generateKeyPair();

let folder: string;
let tar: string;
let original: Buffer;
let manifest: BundleManifest;
let geometry: Geometry;

beforeAll(async () => {
  console.log(`MUTATION_SEED=${SEED} MUTATION_CASES=${CASES}`);
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-mutations-'));
  tar = join(folder, 'site.tar');
  await writeSmall(folder);
  original = await readFile(tar);
  const size = Number.parseInt(original.toString('latin1', 124, 135), 8);
  manifest = parseBundleManifest(original.subarray(512, 512 + size));
  geometry = geometryOf(size, manifest);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function writeSmall(target: string, volumeSize?: number): Promise<void> {
  const cache = await openCache(join(folder, 'cache'), { self });
  const image = randomImage('mutations', { layerSize: 300 });
  await storeGraph(cache, image);
  const { digest, mediaType, size } = image.root;
  const locked = {
    name: NAME,
    digest,
    mediaType,
    size,
    platforms: ['linux/amd64'],
    totalSize: 0,
    verified: 'none' as const,
    accompanying: [],
  };
  const lock: Lock = {
    apiVersion: 'eck-airgap/v1',
    kind: 'Lock',
    metadata: { name: 'site' },
    spec: digestOf(Buffer.from('spec')),
    platforms: ['linux/amd64'],
    images: [locked],
    files: [],
  };
  const packed = await packBundle(lock, cache, { version: '0.0.0' });
  const signer = keySigner(parsePrivateKey(keys.privatePem, { where: 'key' }));
  await writeBundle(packed.manifest, packed, { folder: target, fileName: 'site.tar', volumeSize, signer, self });
}

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

/** mulberry32: small, seeded, the same everywhere. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Region {
  readonly name: string;
  readonly start: number;
  readonly size: number;
  /** What the message must contain. */
  readonly says: RegExp;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Every region of the file; together they cover each byte once, which a test checks. */
function regions(): Region[] {
  const found: Region[] = [];
  for (const gap of geometry.gaps) {
    if (gap.padding > 0)
      found.push({
        name: `padding after ${gap.after ?? ''}`,
        start: gap.offset,
        size: gap.padding,
        says: new RegExp(`padding after ${escape(gap.after ?? '')}`),
      });
    const name = gap.before === undefined ? 'the trailer' : `the tar header of ${gap.before}`;
    found.push({
      name,
      start: gap.offset + gap.padding,
      size: gap.bytes.byteLength - gap.padding,
      says: new RegExp(escape(name)),
    });
  }
  for (const frame of geometry.frames) {
    const says =
      frame.path === 'bundle.json'
        ? /bundle\.json/
        : frame.path.startsWith('bundle.json.')
          ? /signature/
          : new RegExp(escape(frame.path));
    found.push({ name: frame.path, start: frame.offset, size: frame.size, says });
  }
  return found;
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
  for (const region of regions().sort((a, b) => a.start - b.start)) {
    expect(region.start).toBe(at);
    at += region.size;
  }
  expect(at).toBe(original.byteLength);
});

test('one differing byte in any region is refused with exit 3 and its name', { timeout: 120_000 }, async () => {
  const next = random(SEED);
  let cases = 0;
  for (const region of regions()) {
    const ends = [0, region.size - 1];
    const inside = Array.from({ length: CASES }, () => Math.floor(next() * region.size));
    for (const offset of new Set([...ends, ...inside])) {
      const mask = 1 + Math.floor(next() * 255);
      await withByte(region.start + offset, mask, async () => {
        const error = await refusal(tar);
        const where = `${region.name} + ${offset} ^ ${mask}`;
        expect(error.exitStatus, `${where}: ${error.message}`).toBe(3);
        expect(error.message, where).toMatch(region.says);
        cases++;
      });
    }
  }
  expect(cases).toBeGreaterThan(regions().length * 2);
  expect((await readFile(tar)).equals(original)).toBe(true);
});

describe('a length that differs', () => {
  test.each([1, 511, 512, 1024, 10_240])('%d appended bytes are refused with exit 3', async (length) => {
    const longer = join(folder, 'longer.tar');
    await writeFile(longer, Buffer.concat([original, Buffer.alloc(length)]));
    expect((await refusal(longer)).exitStatus).toBe(3);
  });

  test('a file cut anywhere is refused with exit 3', async () => {
    const next = random(SEED + 1);
    const cut = join(folder, 'cut.tar');
    const lengths = [
      0,
      1,
      511,
      512,
      original.byteLength - 1,
      original.byteLength - 1024,
      ...Array.from({ length: CASES }, () => Math.floor(next() * original.byteLength)),
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
