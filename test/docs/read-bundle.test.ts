// docs/bundle-format.md is enough to write a reader: docs/examples/read_bundle.py was written from it, in another language,
// and agrees with ours on what is whole and on what is not.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { journey, type Journey } from '../support/journey.ts';
import { parseSmallBundle } from '../support/small-bundle.ts';
import { haveTools } from '../support/tools.ts';

const SCRIPT = fileURLToPath(new URL('../../docs/examples/read_bundle.py', import.meta.url));

describe.skipIf(!haveTools('the reader in Python', 'python3', 'openssl'))(
  'the reader written from the document',
  () => {
    let site: Journey;
    let bytes: Buffer;

    beforeAll(async () => {
      site = await journey({ spec: { platforms: ['linux/amd64', 'linux/arm64'] } });
      expect((await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media')).status).toBe(0);
      bytes = await site.read('media', 'site-alpha.tar');
    });
    afterAll(() => site.end());

    const read = (name: string) =>
      spawnSync('python3', [SCRIPT, site.path(name), site.path('airgap.pub')], { encoding: 'utf8' });

    test('accepts a bundle and names its images', () => {
      const result = read('media/site-alpha.tar');
      expect(result.stderr).toBe('');
      expect(
        result.stdout
          .trim()
          .split('\n')
          .map((line) => line.split(' ')[0]),
      ).toEqual(site.images);
    });

    test('refuses one in which a byte of any kind of region differs', async () => {
      const { frames, gaps, size: end } = parseSmallBundle(bytes).geometry;
      const positions = [
        ...frames.slice(0, 7).map((frame) => frame.offset + (frame.size >> 1)),
        ...gaps.slice(0, 7).map((gap) => gap.offset + 5),
        end - 1,
      ];
      for (const position of positions) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(position) ^ 1, position);
        await writeFile(site.path('changed.tar'), changed);
        expect(read('changed.tar').status, `byte ${position}`).not.toBe(0);
      }
      await writeFile(site.path('changed.tar'), Buffer.concat([bytes, Buffer.alloc(512)]));
      expect(read('changed.tar').status).toBe(3);
    });
  },
);
