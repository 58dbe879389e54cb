import { expect, test } from 'vitest';
import { tarMedium } from '../../src/bundle/tar-medium.ts';
import type { VolumeSet } from '../../src/bundle/volume-set.ts';
import { AirgapError } from '../../src/core/errors.ts';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { smallBundle } from '../support/small-bundle.ts';

/** Bytes in memory, each read as late as `wait` says. */
function volumesOf(bytes: Buffer, wait: (position: number) => Promise<void>): VolumeSet {
  return {
    size: bytes.byteLength,
    read: async (position, buffer) => {
      await wait(position);
      return buffer.subarray(0, bytes.copy(buffer, 0, position));
    },
    spans: (offset, length) => [{ path: 'site.tar', offset, length }],
    lengthError: () => new AirgapError('BUNDLE_CORRUPT', 'another length'),
    close: async () => undefined,
  };
}

test('of several damaged headers the first is named, whichever is read first', async () => {
  const { bytes, manifest, geometry } = await smallBundle('damaged', generateKeyPair());
  const [early, late] = geometry.gaps.filter(({ before }) => before?.startsWith('blobs/'));
  if (!early || !late) throw new Error('the bundle has no two blobs');
  for (const { offset, length } of [early, late]) bytes.fill(0xff, offset, offset + length);
  const lateIsRead = Promise.withResolvers<undefined>();
  const volumes = volumesOf(bytes, async (position) => {
    if (position === early.offset) await lateIsRead.promise;
    if (position === late.offset) lateIsRead.resolve(undefined);
  });
  const medium = tarMedium(volumes);
  const checked = medium.checkFrames(await medium.readFront(), manifest);
  await expect(checked).rejects.toMatchObject({ details: { spans: [{ offset: early.offset }] } });
});
