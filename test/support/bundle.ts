// Small bundles without a registry or a cache: packed in memory, written by the real writer.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { BodySource } from '../../src/bundle/chunk-source.ts';
import { geometryOf, type Geometry } from '../../src/bundle/geometry.ts';
import { indexJson, OCI_LAYOUT_BYTES } from '../../src/bundle/index-json.ts';
import {
  API_VERSION,
  blobPath,
  encodeBundleManifest,
  type BundleImage,
  type BundleManifest,
} from '../../src/bundle/manifest.ts';
import { slotPath } from '../../src/bundle/slots.ts';
import { writeBundle, type WriteBundleOptions, type WrittenBundle } from '../../src/bundle/writer.ts';
import { ChunkHasher } from '../../src/core/chunks.ts';
import { digestOf } from '../../src/core/digest.ts';
import { contentOf } from '../../src/oci/content.ts';
import { generateKeyPair, parsePrivateKey, type KeyPair } from '../../src/signing/private-key.ts';
import { keySigner, type Signer } from '../../src/signing/signer.ts';
import { randomImage, type Graph } from './random-image.ts';

export const IMAGE = 'docker.elastic.co/kibana/kibana:9.5.2';

export interface Contents {
  /** Original name to image. One small image by default. */
  readonly images?: Readonly<Record<string, Graph>>;
  /** Names of images that are artifacts. */
  readonly artifacts?: readonly string[];
  readonly files?: Readonly<Record<string, Buffer>>;
  readonly signatureSlots?: number;
  readonly name?: string;
}

export interface Packed {
  readonly manifest: BundleManifest;
  readonly chunkTable: Buffer;
  /** Path to body, `chunks` included. */
  readonly bodies: ReadonlyMap<string, Buffer>;
  readonly source: BodySource;
}

/** A pure function of its contents. */
export function pack(contents: Contents = {}): Packed {
  const { images = { [IMAGE]: randomImage('small', { layerSize: 300 }) }, files = {}, name = 'site' } = contents;
  const blobs = [
    ...Object.values(images).flatMap((graph) => graph.blobs.map(({ bytes }) => bytes)),
    ...Object.values(files),
  ];
  const lock = Buffer.from(`the lock of ${name}`);
  const described = Object.entries(images).map(([image, { root }]): BundleImage => {
    const { mediaType, digest, size } = root;
    const artifact = contents.artifacts?.includes(image) === true ? { artifact: true as const } : {};
    return { name: image, mediaType, digest, size, platforms: ['linux/amd64'], accompanying: [], ...artifact };
  });
  const sorted = new Map([lock, ...blobs].map((bytes) => [blobPath(digestOf(bytes)), bytes]).sort(byPath));
  const following = new Map([['oci-layout', OCI_LAYOUT_BYTES], ['index.json', indexJson(described)], ...sorted]);
  const chunkTable = Buffer.concat([...following.values()].map((bytes) => new ChunkHasher().update(bytes).digest()));
  const bodies = new Map([['chunks', chunkTable], ...following]);
  const manifest: BundleManifest = {
    apiVersion: API_VERSION,
    kind: 'BundleManifest',
    name,
    lock: digestOf(lock),
    signatureSlots: contents.signatureSlots ?? 1,
    entries: [...bodies].map(([path, bytes]) => ({ path, size: bytes.byteLength, digest: digestOf(bytes) })),
    images: described,
    files: Object.entries(files).map(([file, bytes]) => {
      return { name: file, mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.byteLength };
    }),
    installers: [],
    sequence: 0,
  };
  return { manifest, chunkTable, bodies, source: sourceOf(bodies) };
}

export function sourceOf(bodies: ReadonlyMap<string, Buffer>): BodySource {
  return { open: (entry, start) => contentOf(bodies.get(entry.path) ?? Buffer.alloc(0)).open(start) };
}

function byPath([a]: readonly [string, Buffer], [b]: readonly [string, Buffer]): number {
  return a < b ? -1 : 1;
}

export const keys: KeyPair = generateKeyPair();

export function signerOf(pair: KeyPair): Signer {
  return keySigner(parsePrivateKey(pair.privatePem, { where: 'a key of the test' }));
}

/** Nobody else is alive, so a lock that is left over is taken. */
export const self = { pid: 4242, isAlive: () => false };

/** Writes `site.tar` (or its volumes) into a folder, signed by `keys`. */
export function write(
  packed: Packed,
  folder: string,
  options: Partial<WriteBundleOptions> = {},
): Promise<WrittenBundle> {
  return writeBundle(packed.manifest, packed, {
    folder,
    fileName: 'site.tar',
    signer: signerOf(keys),
    self,
    ...options,
  });
}

/** An empty folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'eck-airgap-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface WrittenTar {
  readonly folder: string;
  readonly path: string;
  readonly bytes: Buffer;
  readonly packed: Packed;
  readonly geometry: Geometry;
}

/** A bundle in one file, in a folder of its own that is gone after the test. */
export async function writtenTar(contents: Contents = {}): Promise<WrittenTar> {
  const folder = await temporaryFolder();
  const packed = pack(contents);
  await write(packed, folder);
  const path = join(folder, 'site.tar');
  return { folder, path, bytes: await readFile(path), packed, geometry: geometryFor(packed) };
}

export function geometryFor({ manifest }: Packed): Geometry {
  return geometryOf(encodeBundleManifest(manifest).byteLength, manifest);
}

/** Where a body lies. */
export function frameOf(geometry: Geometry, path: string): { offset: number; size: number } {
  const frame = geometry.frames.find((candidate) => candidate.path === path);
  if (!frame) throw new Error(`no frame ${path}`);
  return frame;
}

/** Puts a further person's signature into a slot, in place. */
export function fillSlot(tar: { bytes: Buffer; geometry: Geometry }, slot: number, text: string): void {
  const { offset, size } = frameOf(tar.geometry, slotPath(slot));
  tar.bytes.fill('\n', offset, offset + size).write(text, offset, 'latin1');
}
