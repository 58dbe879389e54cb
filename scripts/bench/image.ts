// Images to move: real tar archives of bytes that do not compress, really gzipped, the same for the same seed.
import { createCipheriv, createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { tarHeader } from '../../src/bundle/tar.ts';
import { isThere } from '../../src/core/files.ts';

export const MIB = 1024 * 1024;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** A layer with one file in it. */
export interface LayerShape {
  /** Makes its bytes: the same seed and size, the same layer. */
  readonly seed: string;
  /** Of the file. */
  readonly bytes: number;
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

/** Layers that are made already, to be linked to. */
export type MadeLayers = Map<string, MadeLayer>;

interface MadeLayer {
  readonly blob: LayoutBlob;
  readonly diffId: string;
  readonly file: string;
}

/** `count` layers of one size, all different. */
export function equalLayers(count: number, bytes: number, seed: string): LayerShape[] {
  return Array.from({ length: count }, (_, i) => ({ seed: `${seed}/${i}`, bytes }));
}

/** Writes an OCI image layout with one image, tagged `1.0`. */
export async function makeLayout(
  folder: string,
  shapes: readonly LayerShape[],
  made: MadeLayers = new Map(),
): Promise<MadeImage> {
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  const layers: LayoutBlob[] = [];
  const diffIds: string[] = [];
  for (const shape of shapes) {
    const { blob, diffId } = await layerIn(folder, shape, made);
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

async function layerIn(folder: string, { seed, bytes }: LayerShape, made: MadeLayers): Promise<MadeLayer> {
  const key = `${seed} ${bytes}`;
  const known = made.get(key);
  if (known) {
    const file = blobFile(folder, known.blob);
    if (!(await isThere(file))) await link(known.file, file);
    return known;
  }
  const layer = await makeLayer(folder, bytes, seed);
  const kept = { ...layer, file: blobFile(folder, layer.blob) };
  made.set(key, kept);
  return kept;
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
