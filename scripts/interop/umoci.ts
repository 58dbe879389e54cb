// Images made by umoci, in OCI image layouts on disk: no container engine, no network.
import { readFile, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { run } from './process.ts';

export interface Layer {
  /** A file or folder on this machine. */
  readonly from: string;
  /** Where it goes in the image. */
  readonly to: string;
}

export interface ImageConfig {
  readonly architecture: string;
  readonly command: readonly string[];
}

/** What stands in an index for a manifest or another index. */
export interface LayoutDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface LayoutIndex {
  readonly schemaVersion: 2;
  readonly manifests: LayoutDescriptor[];
}

const REF_NAME = 'org.opencontainers.image.ref.name';

export async function initLayout(layout: string): Promise<void> {
  await run('umoci', ['init', '--layout', layout]);
}

/** Adds an image with one layer for each of `layers`; answers its descriptor. */
export async function addImage(
  layout: string,
  tag: string,
  layers: readonly Layer[],
  config: ImageConfig,
): Promise<LayoutDescriptor> {
  const image = ['--image', `${layout}:${tag}`];
  await run('umoci', ['new', ...image]);
  for (const { from, to } of layers) await run('umoci', ['insert', ...image, from, to]);
  const command = config.command.flatMap((word) => ['--config.cmd', word]);
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const platform = ['--os', 'linux', '--architecture', config.architecture];
  await run('umoci', ['config', ...image, ...platform, ...command, '--config.env', `PATH=${path}`]);
  return taggedDescriptor(layout, tag);
}

/** Adds a blob that umoci has no command for; answers its descriptor. */
export async function addBlob(layout: string, mediaType: string, bytes: Buffer): Promise<LayoutDescriptor> {
  const hex = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(layout, 'blobs', 'sha256', hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

/** Makes a manifest or index in the layout known under a tag. */
export async function tag(layout: string, descriptor: LayoutDescriptor, name: string): Promise<void> {
  const index = await readIndex(layout);
  index.manifests.push({ ...descriptor, annotations: { ...descriptor.annotations, [REF_NAME]: name } });
  await writeFile(join(layout, 'index.json'), JSON.stringify(index));
}

async function taggedDescriptor(layout: string, name: string): Promise<LayoutDescriptor> {
  const found = (await readIndex(layout)).manifests.find(({ annotations }) => annotations?.[REF_NAME] === name);
  if (found === undefined) throw new Error(`umoci left no ${name} in ${layout}`);
  const { mediaType, digest, size } = found;
  return { mediaType, digest, size };
}

async function readIndex(layout: string): Promise<LayoutIndex> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as Partial<LayoutIndex>;
  // An empty layout of umoci has null here.
  return { schemaVersion: 2, manifests: index.manifests ?? [] };
}
