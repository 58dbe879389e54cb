// Headers as other programs read them, and their size in both encodings.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Header } from 'tar';
import { describe, expect, test } from 'vitest';
import { claimedSize, paddingOf, tarHeader } from '../../src/bundle/tar.ts';
import { writtenTar } from '../support/bundle.ts';
import { haveTools } from '../support/tools.ts';
import { thrown } from '../support/thrown.ts';

const EIGHT_GIB = 8 * 1024 ** 3;

describe('a header', () => {
  test.each([0, 1, 511, 512, EIGHT_GIB - 1, EIGHT_GIB, EIGHT_GIB + 1, 2 ** 40 + 7])(
    'of size %d is read by node-tar as it was written',
    (size) => {
      const bytes = tarHeader('blobs/sha256/00', size);
      const header = new Header(bytes);
      expect(bytes).toHaveLength(512);
      expect(header.cksumValid).toBe(true);
      expect([header.path, header.size, header.type, header.mode, header.uid, header.gid]).toEqual([
        'blobs/sha256/00',
        size,
        'File',
        0o644,
        0,
        0,
      ]);
      expect(header.mtime?.getTime()).toBe(0);
    },
  );

  test('says its size as a hint only in plain octal', () => {
    expect(claimedSize(tarHeader('bundle.json', 1234))).toBe(1234);
    expect(claimedSize(tarHeader('bundle.json', EIGHT_GIB))).toBe(-1);
    for (const field of [
      '+0000000010\0',
      ' 0000000010\0',
      '00000000010 ',
      '-0000000010\0',
      '00000000018\0',
      '\0'.repeat(12),
    ]) {
      const header = tarHeader('bundle.json', 8);
      header.write(field, 124, 'latin1');
      expect(claimedSize(header), JSON.stringify(field)).toBe(-1);
    }
  });

  test('holds paths of up to 100 bytes', () => {
    expect(new Header(tarHeader('x'.repeat(100), 1)).path).toBe('x'.repeat(100));
    expect(thrown(() => tarHeader('x'.repeat(101), 1)).code).toBe('INTERNAL');
  });

  test.each([
    [0, 0],
    [1, 511],
    [512, 0],
    [513, 511],
    [EIGHT_GIB + 1, 511],
  ])('padding after %d bytes is %d', (size, padding) => expect(paddingOf(size)).toBe(padding));
});

describe('a bundle is listed and unpacked alike by', () => {
  const python = 'import sys, tarfile; [print(m.name) for m in tarfile.open(sys.argv[1])]';
  const programs: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
    ['GNU tar', 'tar', ['-tf'], ['-xOf']],
    ['busybox tar', 'busybox', ['tar', '-tf'], ['tar', '-xOf']],
    ['bsdtar', 'bsdtar', ['-tf'], ['-xOf']],
    [
      'Python',
      'python3',
      ['-c', python],
      ['-c', 'import sys, tarfile; sys.stdout.buffer.write(tarfile.open(sys.argv[1]).extractfile(sys.argv[2]).read())'],
    ],
  ];
  for (const [name, program, list, extract] of programs) {
    test.skipIf(!haveTools(`a bundle as ${name} reads it`, program))(name, async () => {
      const { path, packed, geometry, bytes } = await writtenTar();
      const output = (args: readonly string[], ...more: string[]): Buffer =>
        execFileSync(program, [...args, path, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
      expect(output(list).toString().trim().split('\n')).toEqual(geometry.frames.map((frame) => frame.path));
      for (const [entry, body] of packed.bodies) expect(output(extract, entry).equals(body), entry).toBe(true);
      const [front] = geometry.frames;
      expect(output(extract, 'bundle.json').equals(bytes.subarray(512, 512 + (front?.size ?? 0)))).toBe(true);
    });
  }

  test.skipIf(!haveTools('a bundle as Go reads it', 'skopeo'))("Go's archive/tar, in skopeo", async () => {
    const { path, folder, packed } = await writtenTar();
    const [image] = packed.manifest.images;
    const found = execFileSync('skopeo', ['inspect', '--raw', `oci-archive:${path}:${image?.name ?? ''}`], {
      env: { ...process.env, TMPDIR: join(folder) },
    });
    expect(found.equals(packed.bodies.get(`blobs/sha256/${image?.digest.slice(7) ?? ''}`) ?? Buffer.alloc(0))).toBe(
      true,
    );
  });
});
