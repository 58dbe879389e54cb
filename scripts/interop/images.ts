// The images that the journeys carry, under names of Elastic's registry: a small one, one with a web server to run, and an
// index of three platforms with an attestation, as BuildKit makes them. Made in image layouts, pushed by skopeo.
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from './bundle-file.ts';
import type { Certificates } from './certificates.ts';
import { NGINX_TAG } from './nginx.ts';
import { output, run } from './process.ts';
import type { RealRegistry } from './registry.ts';
import { addBlob, addImage, initLayout, tag, type LayoutDescriptor } from './umoci.ts';

export const ORIGIN = 'docker.elastic.co';

/** Repository and tag of each image, as they are at the origin and below the mirror. */
export const SMALL = 'elasticsearch/elasticsearch:9.5.2';
export const MANY = 'kibana/kibana:9.5.2';
export const NGINX = 'package-registry/web:1.0';
export const LARGE = 'ml/large:1.0';

export const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v7'] as const;

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';

export interface FillOptions {
  readonly certificates: Certificates;
  /** Where the images are made. */
  readonly folder: string;
  /** The layout with the NGINX image; without one there is none. */
  readonly nginx: string | undefined;
}

/** Makes the images and pushes them; answers the digest of each by repository and tag. */
export async function fillRegistry(registry: RealRegistry, options: FillOptions): Promise<Record<string, string>> {
  const { certificates, folder, nginx } = options;
  const layout = join(folder, 'layout');
  await initLayout(layout);
  await makeSmall(layout, folder);
  await makeMany(layout, folder);
  const sources: Record<string, string> = { [SMALL]: `${layout}:small`, [MANY]: `${layout}:many` };
  if (nginx !== undefined) sources[NGINX] = `${nginx}:${NGINX_TAG}`;
  const digests: Record<string, string> = {};
  for (const [name, source] of Object.entries(sources))
    digests[name] = await push(source, name, { registry, certificates, folder });
  return digests;
}

export interface LargeOptions {
  readonly registry: Pick<RealRegistry, 'host' | 'authfile'>;
  readonly certificates: Certificates;
  readonly folder: string;
  readonly mebibytes: number;
}

/** Makes and pushes an image with one layer of random bytes, which nothing unpacks. */
export async function pushLargeImage(options: LargeOptions): Promise<void> {
  const layout = join(options.folder, 'large');
  await initLayout(layout);
  const file = join(layout, 'blobs', 'sha256', 'growing');
  await run('sh', ['-c', `head -c ${options.mebibytes}M /dev/urandom > "$0"`, file]);
  const digest = await sha256OfFile(file);
  await rename(file, join(layout, 'blobs', 'sha256', digest.replace('sha256:', '')));
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: options.mebibytes * 1024 * 1024 };
  const config = { architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [digest] } };
  await tag(layout, await addManifest(layout, config, layer), 'large');
  await push(`${layout}:large`, LARGE, options);
  await rm(layout, { recursive: true });
}

async function push(source: string, name: string, options: Omit<LargeOptions, 'mebibytes'>): Promise<string> {
  const { registry, certificates, folder } = options;
  const access = ['--dest-cert-dir', certificates.clientFolder, '--authfile', registry.authfile];
  const digestFile = join(folder, 'digest');
  const copy = ['copy', '--all', '--preserve-digests', '--digestfile', digestFile, ...access];
  await run('skopeo', [...copy, `oci:${source}`, `docker://${registry.host}/${name}`]);
  return output('cat', [digestFile]);
}

async function makeSmall(layout: string, folder: string): Promise<void> {
  const rootfs = await busyboxRootfs(folder);
  await addImage(layout, 'small', [{ from: rootfs, to: '/' }], { architecture: 'amd64', command: ['/bin/busybox'] });
}

/** Every platform has a layer in common with the others and one of its own. */
async function makeMany(layout: string, folder: string): Promise<void> {
  const rootfs = await busyboxRootfs(folder);
  const children: LayoutDescriptor[] = [];
  for (const platform of PLATFORMS) {
    const [os = '', architecture = '', variant] = platform.split('/');
    const own = join(folder, `${architecture}.txt`);
    await writeFile(own, `for ${platform}\n`);
    const layers = [
      { from: rootfs, to: '/' },
      { from: own, to: '/platform' },
    ];
    const child = await addImage(layout, architecture, layers, { architecture, command: ['/bin/busybox'] });
    children.push({ ...child, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } });
  }
  const attestations = await Promise.all(children.map((child) => attest(layout, child)));
  const index = { schemaVersion: 2, mediaType: INDEX, manifests: [...children, ...attestations] };
  await tag(layout, await addBlob(layout, INDEX, Buffer.from(JSON.stringify(index))), 'many');
}

/** A child of an index that says something about its sibling: a manifest for the platform unknown/unknown. */
async function attest(layout: string, subject: LayoutDescriptor): Promise<LayoutDescriptor> {
  const type = 'application/vnd.in-toto+json';
  const digest = { sha256: subject.digest.replace('sha256:', '') };
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject: [{ name: 'image', digest }], predicate: {} };
  const layer = await addBlob(layout, type, Buffer.from(JSON.stringify(statement)));
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  const config = { architecture: 'unknown', os: 'unknown', config: {}, rootfs };
  return {
    ...(await addManifest(layout, config, layer)),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': subject.digest,
    },
  };
}

async function addManifest(layout: string, config: unknown, layer: LayoutDescriptor): Promise<LayoutDescriptor> {
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: await addBlob(layout, CONFIG, Buffer.from(JSON.stringify(config))),
    layers: [layer],
  };
  return addBlob(layout, MANIFEST, Buffer.from(JSON.stringify(manifest)));
}

async function busyboxRootfs(folder: string): Promise<string> {
  const bin = join(folder, 'busybox', 'bin');
  await mkdir(bin, { recursive: true });
  await copyFile(await output('which', ['busybox']), join(bin, 'busybox'));
  return join(folder, 'busybox');
}
