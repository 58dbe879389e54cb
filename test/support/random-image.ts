// Generated images instead of fixtures: deterministic from a seed, well-formed, and readable by real tools. A graph is a list
// of blobs, children before parents, that is pushed into any store.
import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { digestOf } from '../../src/core/digest.ts';
import { paddingOf, tarHeader, TRAILER_SIZE } from '../../src/bundle/tar.ts';
import { contentOf } from '../../src/oci/content.ts';
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.ts';
import {
  DOCKER_CONFIG,
  DOCKER_FOREIGN_LAYER,
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_EMPTY,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';
import { parsePlatform, type Platform } from '../../src/oci/platform.ts';
import type { Store, Target } from '../../src/oci/target.ts';
import { BUNDLE_V0_3, SIGNATURE_ANNOTATION, SIMPLE_SIGNING } from '../../src/signing/cosign.ts';
import type { PrivateKey } from '../../src/signing/private-key.ts';
import { bundleJson, signatureOver, signedStatement, simpleSigningPayload } from './cosign.ts';

export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

export interface Graph {
  readonly root: Descriptor;
  /** Children before parents, the root last. */
  readonly blobs: readonly Blob[];
}

export interface ImageOptions {
  readonly platform?: string;
  /** One for each layer; gzip by default. */
  readonly layers?: readonly LayerKind[];
  /** Bytes of the file in each layer that do not compress; 2000 by default. */
  readonly layerSize?: number;
  /** Docker's media types instead of OCI's. */
  readonly docker?: boolean;
  /** Labels of the config. */
  readonly labels?: Readonly<Record<string, string>>;
}

export type LayerKind = 'tar' | 'gzip' | 'zstd' | 'foreign';

const LAYER_TYPES: Readonly<Record<LayerKind, string>> = {
  tar: OCI_LAYER,
  gzip: OCI_LAYER_GZIP,
  zstd: OCI_LAYER_ZSTD,
  foreign: DOCKER_FOREIGN_LAYER,
};
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** Bytes that follow from a seed and do not compress. */
export function randomBytes(seed: string, size: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < size; i++) blocks.push(createHash('sha256').update(`${seed}/${i}`).digest());
  return Buffer.concat(blocks).subarray(0, size);
}

/** A tar of one file, as a layer of an image holds it. */
export function layerTar(name: string, content: Buffer): Buffer {
  return Buffer.concat([
    tarHeader(name, content.byteLength),
    content,
    Buffer.alloc(paddingOf(content.byteLength) + TRAILER_SIZE),
  ]);
}

/** An image for one platform. */
export function randomImage(seed: string, options: ImageOptions = {}): Graph {
  const { platform = 'linux/amd64', layers = ['gzip', 'gzip'], layerSize = 2000, docker = false } = options;
  const built = layers.map((kind, i) => layer(`${seed}/${i}`, { kind, size: layerSize, docker }));
  const { os, architecture, variant } = parsePlatform(platform);
  const config = blob(docker ? DOCKER_CONFIG : OCI_CONFIG, {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Labels: { seed, ...options.labels },
    },
    rootfs: { type: 'layers', diff_ids: built.map(({ diffId }) => diffId) },
    history: built.map((_, i) => ({ created_by: `layer ${i}` })),
  });
  const mediaType = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
  const manifest = blob(mediaType, {
    schemaVersion: 2,
    mediaType,
    config: config.descriptor,
    layers: built.map(({ blob: { descriptor } }) => descriptor),
  });
  return { root: manifest.descriptor, blobs: [...built.map(({ blob: layerBlob }) => layerBlob), config, manifest] };
}

export interface IndexOptions extends Omit<ImageOptions, 'platform'> {
  readonly platforms?: readonly string[];
  /** An attestation beside each image, as BuildKit makes them. */
  readonly attestations?: boolean;
}

/** An index of one image for each platform. */
export function randomIndex(seed: string, options: IndexOptions = {}): Graph {
  const { platforms = ['linux/amd64', 'linux/arm64'], attestations = false, docker = false } = options;
  const blobs: Blob[] = [];
  const manifests: Descriptor[] = [];
  for (const platform of platforms) {
    const image = randomImage(`${seed}/${platform}`, { ...options, platform });
    blobs.push(...image.blobs);
    manifests.push({ ...image.root, platform: parsePlatform(platform) });
  }
  const unknown: Platform = { os: 'unknown', architecture: 'unknown' };
  for (const image of attestations ? [...manifests] : []) {
    const attestation = randomAttestation(image);
    blobs.push(...attestation.blobs);
    const annotations = {
      'vnd.docker.reference.digest': image.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    };
    manifests.push({ ...attestation.root, annotations, platform: unknown });
  }
  const mediaType = docker ? DOCKER_INDEX : OCI_INDEX;
  const index = blob(mediaType, { schemaVersion: 2, mediaType, manifests });
  return { root: index.descriptor, blobs: [...blobs, index] };
}

/** An artifact (no image config) around one file. */
export function randomArtifact(seed: string, options: { artifactType?: string; subject?: Descriptor } = {}): Graph {
  const layerBlob = raw('application/octet-stream', randomBytes(seed, 500));
  const config = raw(OCI_EMPTY, Buffer.from('{}'));
  const { subject } = options;
  const manifest = blob(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: options.artifactType ?? 'application/vnd.example.thing.v1',
    config: config.descriptor,
    layers: [layerBlob.descriptor],
    ...(subject === undefined
      ? {}
      : { subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size } }),
    annotations: { seed },
  });
  return { root: manifest.descriptor, blobs: [layerBlob, config, manifest] };
}

/** What `cosign sign` stores under the tag sha256-<hex>.sig; without a key the signature is none. */
export function cosignSignature(subject: Descriptor, key?: PrivateKey): Graph {
  const payload = raw(SIMPLE_SIGNING, simpleSigningPayload(subject.digest));
  const config = blob(OCI_CONFIG, {
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers', diff_ids: [payload.descriptor.digest] },
    history: [{}],
  });
  const signature = key === undefined ? 'MEUCIQ==' : signatureOver(payload.bytes, key);
  const layerDescriptor = { ...payload.descriptor, annotations: { [SIGNATURE_ANNOTATION]: signature } };
  const manifest = blob(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: [layerDescriptor],
  });
  return { root: manifest.descriptor, blobs: [payload, config, manifest] };
}

/** What newer cosigns store as a referrer: a Sigstore bundle. */
export function cosignBundle(subject: Descriptor, key: PrivateKey): Graph {
  const bundle = raw(BUNDLE_V0_3, bundleJson(signedStatement(subject.digest), key));
  const config = raw(OCI_EMPTY, Buffer.from('{}'));
  const manifest = blob(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: BUNDLE_V0_3,
    config: config.descriptor,
    layers: [bundle.descriptor],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
  });
  return { root: manifest.descriptor, blobs: [bundle, config, manifest] };
}

/** Pushes every blob, and names the root. */
export async function pushGraph(target: Target, graph: Graph, tag?: string): Promise<void> {
  await storeGraph(target, graph);
  if (tag !== undefined) await target.tag(graph.root, tag);
}

export async function storeGraph(store: Store, graph: Graph): Promise<void> {
  for (const { descriptor, bytes } of graph.blobs) await store.push(descriptor, contentOf(bytes));
}

function randomAttestation(image: Descriptor): Graph {
  const statement = blob('application/vnd.in-toto+json', {
    _type: 'https://in-toto.io/Statement/v0.1',
    subject: [{ digest: image.digest }],
  });
  const config = blob(OCI_CONFIG, {
    architecture: 'unknown',
    os: 'unknown',
    config: {},
    rootfs: { type: 'layers', diff_ids: [statement.descriptor.digest] },
  });
  const manifest = blob(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: [statement.descriptor],
  });
  return { root: manifest.descriptor, blobs: [statement, config, manifest] };
}

function layer(
  seed: string,
  { kind, size, docker }: { kind: LayerKind; size: number; docker: boolean },
): { blob: Blob; diffId: string } {
  const tar = layerTar(
    `data/${createHash('sha256').update(seed).digest('hex').slice(0, 12)}.bin`,
    randomBytes(seed, size),
  );
  const bytes = kind === 'tar' ? tar : kind === 'zstd' ? zstdCompressSync(tar) : gzipSync(tar);
  const mediaType = docker && kind === 'gzip' ? DOCKER_LAYER : LAYER_TYPES[kind];
  const built = raw(mediaType, bytes);
  const descriptor =
    kind === 'foreign' ? { ...built.descriptor, urls: ['https://layers.example/foreign'] } : built.descriptor;
  return { blob: { descriptor, bytes }, diffId: digestOf(tar) };
}

function blob(mediaType: string, value: unknown): Blob {
  return raw(mediaType, canonicalJson(value));
}

function raw(mediaType: string, bytes: Buffer): Blob {
  return { descriptor: descriptorOf(bytes, mediaType), bytes };
}
