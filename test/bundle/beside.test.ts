// What lies beside a bundle, or is named in its place, is never taken for it: only what is called as a bundle is, and where
// two could be meant, neither is.
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBundle } from '../../src/bundle/reader.ts';
import { keys, temporaryFolder, write, writtenTar } from '../support/bundle.ts';
import { pack } from '../support/pack.ts';
import { rejected } from '../support/thrown.ts';

const options = { keys: [keys.publicKey] };
const digestAt = async (path: string): Promise<string> => {
  const bundle = await openBundle(path, options);
  await bundle.close();
  return bundle.digest;
};

/** The folder that `tar -xf` would make of a bundle. */
async function unpacked(into: string, packed: ReturnType<typeof pack>): Promise<void> {
  const { bytes, geometry } = await writtenTar({ name: packed.manifest.name });
  await mkdir(join(into, 'blobs', 'sha256'), { recursive: true });
  for (const { path, offset, size } of geometry.frames)
    await writeFile(join(into, path), bytes.subarray(offset, offset + size));
}

describe('a shadow bundle: an old one, unpacked, beside the new tar', () => {
  test('is not read in its place; neither is meant by the folder', async () => {
    const { folder, path } = await writtenTar({ name: 'newer' });
    const digest = await digestAt(folder);
    await unpacked(folder, pack({ name: 'older' }));
    const error = await rejected(openBundle(folder, options));
    expect([error.code, error.exitStatus]).toEqual(['CONFIG_INVALID', 2]);
    expect(error.hint).toContain(path);
    expect(await digestAt(path)).toBe(digest);
  });

  test('beside volumes neither', async () => {
    const folder = await temporaryFolder();
    await write(pack({ name: 'newer' }), folder, { volumeSize: 4000 });
    await unpacked(folder, pack({ name: 'older' }));
    expect((await rejected(openBundle(folder, options))).code).toBe('CONFIG_INVALID');
    expect(await digestAt(join(folder, 'site.tar.001'))).toMatch(/^sha256:/);
  });

  test('alone in its folder, it is read', async () => {
    const folder = await temporaryFolder();
    await unpacked(folder, pack({ name: 'older' }));
    expect(await digestAt(folder)).toMatch(/^sha256:/);
  });
});

describe('what is no bundle by its name or kind', () => {
  test('the files ._NAME that macOS leaves on FAT and exFAT are passed over, and so is all that is hidden', async () => {
    const folder = await temporaryFolder();
    const { files } = await write(pack(), folder, { volumeSize: 4000 });
    for (const { path } of files) await writeFile(join(folder, `._${path}`), '\0\x05\x16\x07');
    await writeFile(join(folder, '.other.tar'), 'hidden');
    expect(await digestAt(folder)).toBe(await digestAt(join(folder, 'site.tar.002')));
  });

  test('a folder named old.tar is one more folder, and so is a link to it', async () => {
    const { folder } = await writtenTar();
    await mkdir(join(folder, 'old.tar'));
    await mkdir(join(folder, 'site.tar.002'));
    await symlink(join(folder, 'old.tar'), join(folder, 'link.tar'));
    expect(await digestAt(folder)).toMatch(/^sha256:/);
  });
});

describe('a file that is named and is no bundle', () => {
  test.each([
    ['README.txt', Buffer.from('Everything here is one signed bundle.\n')],
    ['photo.png', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
    ['empty', Buffer.alloc(0)],
    ['SHA256SUMS', Buffer.from('bundle.json')],
    ['site.tar.gz', Buffer.from('\x1f\x8b', 'latin1')],
    ['site.tar.partial', Buffer.alloc(4096)],
  ])('%s is NOT_A_BUNDLE, exit 2, with what to name', async (name, bytes) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, name), bytes);
    const error = await rejected(openBundle(join(folder, name), options));
    expect([error.code, error.exitStatus]).toEqual(['NOT_A_BUNDLE', 2]);
    expect(error.hint).toMatch(/folder.*NAME\.tar/);
  });

  test('but what is called NAME.tar or a volume is damaged, exit 3, however little of it is left', async () => {
    const { folder, path, bytes } = await writtenTar();
    for (const name of ['site.tar', 'other.tar.001'])
      for (const left of [
        Buffer.alloc(0),
        Buffer.alloc(512),
        Buffer.from('x'),
        Buffer.concat([Buffer.from('B'), bytes]),
      ]) {
        const at = join(await temporaryFolder(), name);
        await writeFile(at, left);
        const error = await rejected(openBundle(at, options));
        // a first volume that is short may as well lack the others
        expect(error.exitStatus, `${name} with ${left.byteLength} bytes`).toBeOneOf(name === 'site.tar' ? [3] : [3, 4]);
      }
    await rename(path, join(folder, 'carried'));
    expect(await digestAt(join(folder, 'carried')), basename(path)).toMatch(/^sha256:/);
  });
});
