// Images to move: real tar archives of bytes that do not compress, really gzipped, the same for the same seed.
import { createCipheriv, createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { tarHeader } from '../../src/bundle/tar.ts';

export const MIB = 1024 * 1024;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface ImageShape {
  readonly layers: number;
  /** Of the file in each layer. */
  readonly layerBytes: number;
}

export interface LayoutBlob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface MadeImage {
  readonly layers: readonly LayoutBlob[];
  /** Of layers and config. */
  readonly bytes: number;
}

/** Writes an OCI image layout with one image, tagged `1.0`. `seed` makes its bytes. */
export async function makeLayout(folder: string, shape: ImageShape, seed: string): Promise<MadeImage> {
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  const layers: LayoutBlob[] = [];
  const diffIds: string[] = [];
  for (let i = 0; i < shape.layers; i++) {
    const { blob, diffId } = await makeLayer(folder, shape.layerBytes, `${seed}/${i}`);
    layers.push(blob);
    diffIds.push(diffId);
  }
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const config = await addJson(folder, CONFIG, { architecture: 'amd64', os: 'linux', config: {}, rootfs });
  const manifest = await addJson(folder, MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config, layers });
  const tagged = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': '1.0' } };
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [tagged] }));
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return { layers, bytes: [config, ...layers].reduce((sum, { size }) => sum + size, 0) };
}

export function blobFile(folder: string, { digest }: LayoutBlob): string {
  return join(folder, 'blobs', 'sha256', digest.replace('sha256:', ''));
}

async function makeLayer(folder: string, bytes: number, seed: string): Promise<{ blob: LayoutBlob; diffId: string }> {
  const growing = join(folder, 'growing');
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  let size = 0;
  await pipeline(
    hashed(tarOf(bytes, seed), plain),
    createGzip({ level: 1 }),
    async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of hashed(source, packed)) {
        size += chunk.byteLength;
        yield chunk;
      }
    },
    createWriteStream(growing),
  );
  const blob = { mediaType: LAYER, digest: `sha256:${packed.digest('hex')}`, size };
  await rename(growing, blobFile(folder, blob));
  return { blob, diffId: `sha256:${plain.digest('hex')}` };
}

function* tarOf(bytes: number, seed: string): Generator<Buffer> {
  yield tarHeader('data', bytes);
  yield* noise(bytes, seed);
  yield Buffer.alloc((512 - (bytes % 512)) % 512);
  yield Buffer.alloc(1024);
}

/** AES-CTR over nothing: fast, even, and the same for the same seed. */
export function* noise(bytes: number, seed: string): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  for (let left = bytes; left > 0; left -= MIB) yield cipher.update(zeros.subarray(0, Math.min(left, MIB)));
}

async function* hashed(source: Iterable<Buffer> | AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

async function addJson(folder: string, mediaType: string, value: unknown): Promise<LayoutBlob> {
  const bytes = Buffer.from(JSON.stringify(value));
  const blob = {
    mediaType,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    size: bytes.byteLength,
  };
  await writeFile(blobFile(folder, blob), bytes);
  return blob;
}
