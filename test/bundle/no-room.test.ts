// A bundle that does not fit leaves nothing on the media that would take room; one that was interrupted leaves what it has.
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { BodySource } from '../../src/bundle/body-source.ts';
import { AirgapError, fileError } from '../../src/core/errors.ts';
import { CHUNK_SIZE } from '../../src/core/chunks.ts';
import { temporaryFolder, write } from '../support/bundle.ts';
import { pack } from '../support/pack.ts';
import { randomBytes } from '../support/random-image.ts';

const PACKED = pack({ files: { 'a.bin': randomBytes('a', CHUNK_SIZE + 1), 'b.bin': randomBytes('b', CHUNK_SIZE) } });

/** As the file system would fail, when the second large body is written. */
function failing(error: unknown): BodySource {
  let large = 0;
  return {
    open: async (entry) => {
      if (entry.size >= CHUNK_SIZE && ++large > 1) throw error;
      return PACKED.source.open(entry);
    },
  };
}

async function leftBy(error: unknown, volumeSize?: number): Promise<string[]> {
  const folder = await temporaryFolder();
  await expect(write({ ...PACKED, source: failing(error) }, folder, { volumeSize })).rejects.toThrow();
  return readdir(folder);
}

const systemError = (code: string): unknown =>
  fileError(Object.assign(new Error(code), { code }), 'write', 'site.tar.partial');

test.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('%s: nothing is left', async (code) => {
  expect(await leftBy(systemError(code))).toEqual([]);
  expect(await leftBy(systemError(code), 1024 * 1024)).toEqual([]);
});

test.each([
  ['an interruption', new DOMException('aborted', 'AbortError')],
  ['a device that fails', systemError('EIO')],
  ['a damaged cache', new AirgapError('DIGEST_MISMATCH', 'damaged')],
])('%s: what was written stays, to go on with', async (_, error) => {
  expect(await leftBy(error)).toEqual(['site.tar.partial']);
});
