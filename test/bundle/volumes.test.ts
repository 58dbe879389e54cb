// Volumes: how a size is written, and that a set is found, ordered and checked by its numbers and sizes alone.
import { copyFile, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBundle, openUnverified } from '../../src/bundle/reader.ts';
import { verifyBundle } from '../../src/bundle/verify.ts';
import { parseVolumeName, parseVolumeSize, volumeName, volumeNames } from '../../src/bundle/volumes.ts';
import { AirgapError } from '../../src/core/errors.ts';
import { keys, temporaryFolder, write } from '../support/bundle.ts';
import { IMAGE, pack } from '../support/pack.ts';
import { randomBytes, randomImage } from '../support/random-image.ts';
import { rejected, thrown } from '../support/thrown.ts';

const GIB = 1024 ** 3;
/** bundle.json and its slot fit into the first. */
const VOLUME = 12_000;
const PACKED = pack({ files: { 'one.bin': randomBytes('one', 80_000) } });

describe('a volume size', () => {
  test.each([
    ['4G', 4 * GIB - 64 * 1024],
    ['4GiB', 4 * GIB - 64 * 1024],
    ['4096M', 4 * GIB],
    ['2G', 2 * GIB],
    ['700M', 700 * 1024 ** 2],
    ['700MiB', 700 * 1024 ** 2],
    ['1024K', 1024 ** 2],
    ['1048576', 1024 ** 2],
    ['1T', 1024 * GIB],
  ])('%s is %d bytes', (text, size) => expect(parseVolumeSize(text)).toBe(size));

  test.each(['', '0', '1023K', '-1G', '1.5G', '4 G', '4g', 'G', '1P', '1e9', '99999999T', '٤G', '4G\n'])(
    '%j is USAGE',
    (text) => {
      expect(thrown(() => parseVolumeSize(text)).code).toBe('USAGE');
    },
  );

  test('4G fits FAT32, and its volumes divide into chunks of 64 KiB', () => {
    expect(parseVolumeSize('4G')).toBeLessThan(4 * GIB - 1);
    expect(parseVolumeSize('4G') % (64 * 1024)).toBe(0);
  });
});

describe('a volume name', () => {
  test('has three digits, and more from 1000 on', () => {
    expect([1, 999, 1000, 12_345].map((number) => volumeName('site.tar', number))).toEqual([
      'site.tar.001',
      'site.tar.999',
      'site.tar.1000',
      'site.tar.12345',
    ]);
    expect(volumeNames('site.tar', 10, 5)).toEqual(['site.tar.001', 'site.tar.002']);
    expect(volumeNames('site.tar', 11, 5)).toHaveLength(3);
    expect(volumeNames('site.tar', 11, undefined)).toEqual(['site.tar']);
  });

  test('has at most six digits', () => {
    expect(volumeNames('site.tar', 999_999, 1).at(-1)).toBe('site.tar.999999');
    expect(thrown(() => volumeNames('site.tar', 1_000_000, 1)).code).toBe('USAGE');
  });

  test('is read back, and nothing else is one', () => {
    for (const number of [1, 999, 1000]) {
      expect(parseVolumeName(volumeName('site.tar', number))).toEqual({ bundle: 'site.tar', number });
    }
    for (const name of [
      'site.tar',
      'site.tar.01',
      'site.tar.001.partial',
      'site.tar.1e3',
      'site.tar.9999999',
      '.tar.001',
      'site.001',
    ])
      expect(parseVolumeName(name), name).toBeUndefined();
  });
});

async function volumes(packed = PACKED): Promise<{ folder: string; paths: string[] }> {
  const folder = await temporaryFolder();
  const { files } = await write(packed, folder, { volumeSize: VOLUME });
  expect(files.length).toBeGreaterThan(5);
  return { folder, paths: files.map(({ path }) => join(folder, path)) };
}

/** What it is refused with by `verify`; fails when it is accepted. */
async function refusal(paths: string | readonly string[]): Promise<AirgapError> {
  const verifying = async (): Promise<void> => {
    const bundle = await openBundle(paths, { keys: [keys.publicKey] });
    await verifyBundle(bundle).finally(() => bundle.close());
  };
  return rejected(verifying());
}

async function accepted(paths: string | readonly string[]): Promise<void> {
  const bundle = await openBundle(paths, { keys: [keys.publicKey] });
  await verifyBundle(bundle).finally(() => bundle.close());
}

describe('a set', () => {
  test('is opened by its folder, any volume, or folders it is spread over', async () => {
    const { folder, paths } = await volumes();
    await accepted(folder);
    for (const path of paths) await accepted(path);
    const other = await temporaryFolder();
    for (const path of paths.filter((_, i) => i % 2 === 1)) await rename(path, join(other, basename(path)));
    await accepted([folder, other]);
    await accepted([other, folder]);
    await accepted([folder, folder, `${other}/.`, join(other, basename(paths[1] ?? ''))]);
    expect((await refusal(folder)).code).toBe('VOLUME_MISSING');
  });

  test('joined by cat is the same bundle', async () => {
    const { paths } = await volumes();
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'joined.tar'), Buffer.concat(await Promise.all(paths.map((path) => readFile(path)))));
    await accepted(folder);
  });

  test('that lacks any volume is VOLUME_MISSING, exit 4, with its number and size', async () => {
    const { folder, paths } = await volumes();
    const last = paths.length;
    for (const [i, path] of paths.entries()) {
      const size = (await readFile(path)).byteLength;
      await rename(path, join(folder, 'aside'));
      const error = await refusal(folder);
      expect([error.code, error.exitStatus]).toEqual(['VOLUME_MISSING', 4]);
      expect(error.message).toMatch(new RegExp(`volume ${i + 1} \\(${size} bytes\\) is missing`));
      expect(error.details['missing']).toEqual([{ number: i + 1, size }]);
      await rename(join(folder, 'aside'), path);
    }
    expect(last).toBeGreaterThan(5);
  });

  test('that lacks several says all their numbers', async () => {
    const { folder, paths } = await volumes();
    for (const i of [1, 2, 4]) await rm(paths[i] ?? '');
    const error = await refusal(folder);
    expect(error.message).toContain(
      `volumes 2 (${VOLUME} bytes), 3 (${VOLUME} bytes), 5 (${VOLUME} bytes) are missing`,
    );
  });

  test('of which only the first is there tells how many are missing', async () => {
    const { folder, paths } = await volumes();
    for (const path of paths.slice(1)) await rm(path);
    const error = await refusal(folder);
    expect([error.code, error.details['count']]).toEqual(['VOLUME_MISSING', paths.length - 1]);
  });

  test('whose bundle.json is longer than the volumes that are there lacks volumes, and is not called forged', async () => {
    const folder = await temporaryFolder();
    const { files } = await write(PACKED, folder, { volumeSize: 700 });
    for (const { path } of files.slice(2)) await rm(join(folder, path));
    expect((await refusal(folder)).code).toBe('VOLUME_MISSING');
  });

  test('named by a volume that is not there is VOLUME_MISSING', async () => {
    const { folder, paths } = await volumes();
    await rm(paths[0] ?? '');
    expect((await refusal(join(folder, 'site.tar.001'))).code).toBe('VOLUME_MISSING');
  });

  test('with volumes swapped is refused, naming one of the two', async () => {
    const { paths, folder } = await volumes();
    for (let i = 0; i + 2 < paths.length; i++) {
      const [a, b] = [paths[i] ?? '', paths[i + 1] ?? ''];
      const swap = async (): Promise<void> => {
        await rename(a, join(folder, 'aside'));
        await rename(b, a);
        await rename(join(folder, 'aside'), b);
      };
      await swap();
      const error = await refusal(folder);
      expect(error.exitStatus, error.message).toBe(3);
      if (i > 0) expect([a, b].some((path) => JSON.stringify(error.details).includes(path))).toBe(true);
      await swap();
    }
    await accepted(folder);
  });

  test('renumbered is refused', async () => {
    const { folder, paths } = await volumes();
    for (const path of paths.toReversed())
      await rename(path, join(folder, volumeName('site.tar', paths.indexOf(path) + 2)));
    expect((await refusal(folder)).code).toBe('VOLUME_MISSING');
    await rename(join(folder, volumeName('site.tar', paths.length + 1)), paths[0] ?? '');
    expect((await refusal(folder)).exitStatus).toBe(3);
  });

  test('with a foreign volume of the same size is refused, naming it among those of the damaged range', async () => {
    const { folder, paths } = await volumes();
    const other = await volumes(pack({ images: { [IMAGE]: randomImage('other', { layerSize: 80_000 }) } }));
    for (const i of [2, 3, 4]) {
      const kept = await readFile(paths[i] ?? '');
      await copyFile(other.paths[i] ?? '', paths[i] ?? '');
      const error = await refusal(folder);
      expect(error.code).toBe('BUNDLE_CORRUPT');
      expect(JSON.stringify(error.details)).toContain(paths[i]);
      await writeFile(paths[i] ?? '', kept);
    }
  });

  test('with one volume in the place of another, too, is refused', async () => {
    const { folder, paths } = await volumes();
    await copyFile(paths[0] ?? '', paths[1] ?? '');
    expect((await refusal(folder)).exitStatus).toBe(3);
  });

  test('with a volume cut short, grown or empty is refused, naming it', async () => {
    const { folder, paths } = await volumes();
    for (const [i, path] of paths.entries()) {
      const kept = await readFile(path);
      for (const size of [kept.byteLength - 1, 0, kept.byteLength + 1]) {
        await truncate(path, size);
        const error = await refusal(folder);
        expect([error.code, error.exitStatus], `${i} ${size}: ${error.message}`).toEqual(['BUNDLE_CORRUPT', 3]);
        expect(error.message).toContain(path);
        await writeFile(path, kept);
      }
    }
  });

  test('with one volume too many is refused, naming it', async () => {
    const { folder, paths } = await volumes();
    const extra = join(folder, volumeName('site.tar', paths.length + 1));
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(1), await readFile(paths[1] ?? '')]) {
      await writeFile(extra, bytes);
      expect((await refusal(folder)).exitStatus).toBe(3);
    }
    await rm(extra);
    await writeFile(join(folder, 'site.tar.000'), 'x');
    expect((await refusal(folder)).code).toBe('BUNDLE_CORRUPT');
  });

  test('with a number twice, in two folders or in two spellings, is refused, naming both', async () => {
    const { folder, paths } = await volumes();
    const other = await temporaryFolder();
    await copyFile(paths[1] ?? '', join(other, 'site.tar.002'));
    const error = await refusal([folder, other]);
    expect(error.code).toBe('BUNDLE_CORRUPT');
    expect(error.message).toContain(join(other, 'site.tar.002'));
    await copyFile(paths[1] ?? '', join(folder, 'site.tar.0002'));
    expect((await refusal(folder)).code).toBe('BUNDLE_CORRUPT');
  });

  test('hostile numbers take no memory', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'site.tar.999999'), 'x');
    const error = await rejected(openUnverified(folder));
    expect([error.code, error.details['count']]).toEqual(['VOLUME_MISSING', 999_998]);
    expect((error.details['missing'] as unknown[]).length).toBeLessThanOrEqual(1000);
  });
});

describe('a media folder', () => {
  test('with two bundles is not guessed about: both are named', async () => {
    const folder = await temporaryFolder();
    await write(PACKED, folder, { fileName: 'a.tar' });
    await write(PACKED, folder, { fileName: 'b.tar', volumeSize: VOLUME });
    const error = await refusal(folder);
    expect([error.code, error.exitStatus]).toEqual(['CONFIG_INVALID', 2]);
    expect(error.message).toContain('a.tar, b.tar');
    await accepted(join(folder, 'a.tar'));
    await accepted(join(folder, 'b.tar.003'));
  });

  test('with a bundle both whole and in volumes, or whole twice, is not guessed about', async () => {
    const { folder } = await volumes();
    const whole = await temporaryFolder();
    await write(PACKED, whole);
    expect((await refusal([folder, whole])).code).toBe('CONFIG_INVALID');
    await mkdir(join(whole, 'more'));
    await copyFile(join(whole, 'site.tar'), join(whole, 'more', 'site.tar'));
    expect((await refusal([whole, join(whole, 'more')])).code).toBe('CONFIG_INVALID');
    await accepted(whole);
  });

  test('may hold what else is carried', async () => {
    const { folder } = await volumes();
    for (const name of ['README.txt', 'SHA256SUMS', 'eck-airgap-linux-x64', 'site.tar.002.partial', 'site.tar.gz'])
      await writeFile(join(folder, name), 'x');
    await accepted(folder);
    expect((await readdir(folder)).length).toBeGreaterThan(8);
  });
});
