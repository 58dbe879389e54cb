// Bundles packed in memory, without a registry or a cache.
import type { BodySource } from '../../src/bundle/body-source.ts';
import { indexJson, OCI_LAYOUT_BYTES } from '../../src/bundle/index-json.ts';
import { API_VERSION, type BundleImage, type BundleManifest } from '../../src/bundle/manifest.ts';
import { LOCK_FILE, OWN_FILES } from '../../src/bundle/own-files.ts';
import { blobPath } from '../../src/bundle/manifest-rules.ts';
import { chunkHashes } from '../../src/core/chunks.ts';
import { digestOf } from '../../src/core/digest.ts';
import { readerOf } from '../../src/core/streams.ts';
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
  const described = Object.entries(images)
    .sort(byPath)
    .map(([image, { root }]): BundleImage => {
      const { mediaType, digest, size } = root;
      const artifact = contents.artifacts?.includes(image) === true ? { artifact: true as const } : {};
      return { name: image, mediaType, digest, size, platforms: ['linux/amd64'], accompanying: [], ...artifact };
    });
  const named = new Map([lock, ...blobs].map((bytes): Body => [blobPath(digestOf(bytes)), bytes]));
  const sorted = [...named].sort(byPath);
  const following = new Map<string, Buffer>([
    ['oci-layout', OCI_LAYOUT_BYTES],
    ['index.json', indexJson(described)],
    ...sorted,
  ]);
  const chunkTable = Buffer.concat([...following.values()].map(chunkHashes));
  const bodies = new Map<string, Buffer>([['chunks', chunkTable], ...following]);
  const manifest: BundleManifest = {
    apiVersion: API_VERSION,
    kind: 'BundleManifest',
    name,
    lock: digestOf(lock),
    signatureSlots: contents.signatureSlots ?? 1,
    entries: [...bodies].map(([path, bytes]) => ({ path, size: bytes.byteLength, digest: digestOf(bytes) })),
    images: described,
    files: [[LOCK_FILE, lock] as const, ...Object.entries(files).sort(ownFirst)].map(([file, bytes]) => {
      return { name: file, mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.byteLength };
    }),
    installers: [],
    sequence: 0,
  };
  return { manifest, chunkTable, bodies, source: sourceOf(bodies) };
}

export function sourceOf(bodies: ReadonlyMap<string, Buffer>): BodySource {
  return { open: async (entry) => readerOf(bodies.get(entry.path) ?? Buffer.alloc(0)) };
}

type Body = [path: string, bytes: Buffer];

function ownFirst(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  const rank = ([name]: readonly [string, unknown]): number => [...OWN_FILES, name].indexOf(name);
  return rank(a) - rank(b) || byPath(a, b);
}

function byPath([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
