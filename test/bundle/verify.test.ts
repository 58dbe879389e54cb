// `verify` reads everything, and names all that is damaged at once: where it lies, and what needs it.
import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { blobPath } from '../../src/bundle/manifest-rules.ts';
import { openBundle, type Bundle } from '../../src/bundle/reader.ts';
import { verifyBundle, type Damage, type VerifyOptions } from '../../src/bundle/verify.ts';
import { CHUNK_SIZE } from '../../src/core/chunks.ts';
import { digestOf } from '../../src/core/digest.ts';
import { AirgapError } from '../../src/core/errors.ts';
import { frameOf, keys, writtenTar, type WrittenTar } from '../support/bundle.ts';
import { IMAGE } from '../support/pack.ts';
import { randomBytes, randomImage } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const LARGE = randomBytes('large', 2 * CHUNK_SIZE + 100);
const OTHER = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.2';
const kibana = randomImage('kibana');
const elasticsearch = randomImage('elasticsearch');

function bundle(): Promise<WrittenTar> {
  return writtenTar({ images: { [IMAGE]: kibana, [OTHER]: elasticsearch }, files: { 'large.bin': LARGE } });
}

async function using<T>(path: string, use: (opened: Bundle) => Promise<T>): Promise<T> {
  const opened = await openBundle(path, { keys: [keys.publicKey] });
  return use(opened).finally(() => opened.close());
}

/** Flips a bit of a body. */
function damage({ bytes, geometry }: WrittenTar, body: Buffer, at: number): number {
  const position = frameOf(geometry, blobPath(digestOf(body))).offset + at;
  bytes.writeUInt8(bytes.readUInt8(position) ^ 4, position);
  return position;
}

async function verify(tar: WrittenTar, options: VerifyOptions = {}): Promise<AirgapError> {
  await writeFile(tar.path, tar.bytes);
  return rejected(using(tar.path, (opened) => verifyBundle(opened, options)));
}

function ranges(error: AirgapError): [string, number, number][] {
  return (error.details['damage'] as Damage[]).map(({ path, start, size }) => [path, start, size]);
}

test.each([1, 2, 5])(
  'a whole bundle: bytes and entries are counted, and progress adds up (%d workers)',
  async (workers) => {
    const { path, packed } = await bundle();
    const total = packed.manifest.entries.reduce((sum, entry) => sum + entry.size, 0);
    let [done, phase] = [0, 0];
    const result = await using(path, (opened) =>
      verifyBundle(opened, {
        workers,
        report: (event) => {
          if (event.type === 'phase') phase = event.total ?? 0;
          if (event.type === 'progress') done += event.bytes;
        },
      }),
    );
    expect(result).toEqual({ bytes: total, entries: packed.manifest.entries.length });
    expect([done, phase]).toEqual([total, total]);
  },
);

describe('damage', () => {
  test('of a layer names its file, range and image, and no other image', async () => {
    const tar = await bundle();
    const layer = kibana.blobs[0]?.bytes ?? Buffer.alloc(0);
    damage(tar, layer, 17);
    const error = await verify(tar);
    expect([error.code, error.exitStatus]).toEqual(['BUNDLE_CORRUPT', 3]);
    const { offset, size } = frameOf(tar.geometry, blobPath(digestOf(layer)));
    expect(error.message).toContain(`${blobPath(digestOf(layer))} (${tar.path} at byte ${offset}, ${size} bytes)`);
    expect([error.details['images'], error.details['files']]).toEqual([[IMAGE], []]);
  });

  test('of a manifest names the images that cannot be read any more', async () => {
    const tar = await bundle();
    damage(tar, elasticsearch.blobs.at(-1)?.bytes ?? Buffer.alloc(0), 0);
    expect((await verify(tar)).details['images']).toEqual([OTHER]);
  });

  test('in several chunks of several bodies is named all at once, in file order', async () => {
    for (const workers of [1, 2, 4]) {
      const tar = await bundle();
      const layers = [kibana, elasticsearch].map((image) => image.blobs[1]?.bytes ?? Buffer.alloc(0));
      for (const layer of layers) damage(tar, layer, 3);
      damage(tar, LARGE, CHUNK_SIZE - 1);
      damage(tar, LARGE, 2 * CHUNK_SIZE + 99);
      const error = await verify(tar, { workers });
      const expected: [string, number, number][] = [
        ...layers.map((layer): [string, number, number] => [blobPath(digestOf(layer)), 0, layer.byteLength]),
        [blobPath(digestOf(LARGE)), 0, CHUNK_SIZE],
        [blobPath(digestOf(LARGE)), 2 * CHUNK_SIZE, 100],
      ];
      const order = tar.packed.manifest.entries.map(({ path }) => path);
      expected.sort(([a, m], [b, n]) => order.indexOf(a) - order.indexOf(b) || m - n);
      expect(ranges(error)).toEqual(expected);
      expect([error.details['images'], error.details['files']]).toEqual([[OTHER, IMAGE], ['large.bin']]);
    }
  });

  test('that is a sector which cannot be read is named like any other, with the reason', async () => {
    const tar = await bundle();
    damage(tar, LARGE, 5);
    await writeFile(tar.path, tar.bytes);
    const error = await rejected(
      using(tar.path, (opened) => {
        const read: Bundle['chunks']['read'] = (entry, chunk, buffer) =>
          entry.size === LARGE.byteLength && chunk.index === 1
            ? Promise.reject(new AirgapError('IO_FAILED', 'cannot read site.tar: EIO'))
            : opened.chunks.read(entry, chunk, buffer);
        return verifyBundle({ ...opened, chunks: { ...opened.chunks, read } });
      }),
    );
    expect(ranges(error).map(([, start]) => start)).toEqual([0, CHUNK_SIZE]);
    expect(error.message).toContain('EIO');
  });
});

test('an abort ends it', async () => {
  const { path } = await bundle();
  const abort = new AbortController();
  const report = (): void => abort.abort(new Error('Ctrl-C'));
  await expect(using(path, (opened) => verifyBundle(opened, { signal: abort.signal, report }))).rejects.toThrow(
    'Ctrl-C',
  );
});
