// Where it is measured: a folder with images in a real registry, sites with a lock and a key, and the program as one file.
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { privateFolders } from '../interop/airgap.ts';
import { run, type RunOptions } from '../interop/process.ts';
import { startRegistry, type RealRegistry } from '../interop/registry.ts';
import { machine, sourceCommit } from './machine.ts';
import type { MoverPeer } from './movers.ts';
import {
  blobFile,
  makeLayout,
  MIB,
  type LayerShape,
  type MadeImage,
  type LayoutBlob,
  type MadeLayers,
} from './image.ts';

export interface Lab {
  readonly folder: string;
  /** The program that is measured. */
  readonly program: string;
  readonly runs: number;
  readonly upstream: RealRegistry;
  readonly peers: Peers;
  say(text: string): void;
}

/** Programs that it is measured beside, by name or path. */
export interface Peers {
  readonly skopeo: string;
  /** Of upstream, and of what is loaded into. */
  readonly registry: string;
  readonly registryVersion: string;
  /** Other programs that move images. */
  readonly movers: readonly MoverPeer[];
}

/** An image as a layout on disk, and once it is pushed in the upstream registry. */
export interface LabImage extends MadeImage {
  /** Repository below the registry. */
  readonly name: string;
  readonly layout: string;
}

/** Images that are moved together. */
export interface ImageSet {
  readonly name: string;
  /** How tables call it. */
  readonly text: string;
  readonly images: readonly LabImage[];
  /** Layers and configs, each once. */
  readonly bytes: number;
}

/** What a set is made of: the layers of each image. */
export interface SetShape {
  readonly text: string;
  readonly images: readonly (readonly LayerShape[])[];
}

export interface Site {
  readonly folder: string;
  readonly media: string;
  readonly publicKey: string;
}

export async function makeSet(folder: string, name: string, shape: SetShape): Promise<ImageSet> {
  const made: MadeLayers = new Map();
  const images: LabImage[] = [];
  for (const [i, layers] of shape.images.entries()) {
    const own = shape.images.length === 1 ? name : `${name}-${i}`;
    const layout = join(folder, 'layouts', own);
    images.push({ name: `bench/${own}`, layout, ...(await makeLayout(layout, layers, made)) });
  }
  const layers = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.digest, layer.size]));
  const configs = images.map(({ bytes, layers: own }) => own.reduce((left, { size }) => left - size, bytes));
  return { name, text: shape.text, images, bytes: sum([...layers.values(), ...configs]) };
}

export async function pushSet({ upstream }: Lab, { images }: ImageSet): Promise<void> {
  for (const { name, layout } of images) {
    const to = `docker://${upstream.host}/${name}:1.0`;
    await run('skopeo', ['copy', '--quiet', '--preserve-digests', '--dest-tls-verify=false', `oci:${layout}:1.0`, to]);
  }
}

/** Each layer of a set once, with an image that has it. */
export function layersOf({ images }: ImageSet): { readonly image: LabImage; readonly layer: LayoutBlob }[] {
  const found = new Map<string, { readonly image: LabImage; readonly layer: LayoutBlob }>();
  for (const image of images) for (const layer of image.layers) found.set(layer.digest, { image, layer });
  return [...found.values()];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

/** A new folder with airgap.yaml, keys and a lock. */
export async function addSite(lab: Lab, name: string, images: readonly LabImage[]): Promise<Site> {
  const folder = join(lab.folder, 'sites', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const spec = {
    apiVersion: 'eck-airgap/v1',
    kind: 'BundleSpec',
    metadata: { name: 'bench' },
    images: images.map((image) => `docker.elastic.co/${image.name}:1.0`),
    mirrors: { 'docker.elastic.co': lab.upstream.url },
  };
  await writeFile(join(folder, 'airgap.yaml'), JSON.stringify(spec));
  const site = { folder, media: join(folder, 'media'), publicKey: join(folder, 'keys', 'airgap.pub') };
  await ours(lab, site, ['keygen', '--out', 'keys', '--no-passphrase']);
  await ours(lab, site, ['lock', 'airgap.yaml']);
  return site;
}

export const BUILD = ['build', 'airgap.yaml', '--key', 'keys/airgap.key', '--out', 'media', '--quiet'] as const;

/** Nothing of an earlier build is there any more. */
export async function forget({ folder, media }: Site): Promise<void> {
  await rm(join(folder, 'cache'), { recursive: true, force: true });
  await rm(media, { recursive: true, force: true });
}

export function loadCommand(site: Site, registry: RealRegistry): string[] {
  return ['load', site.media, '--key', site.publicKey, '--registry', registry.host, '--quiet'];
}

/** Runs the program in a site; answers seconds. */
export async function ours(lab: Lab, site: Site, args: readonly string[], filling?: Filling): Promise<number> {
  return timed([lab.program, ...args], { cwd: site.folder, bare: true, env: privateFolders(site.folder), ...filling });
}

export interface Filling {
  /** A folder on a disk: free memory is filled with pages of files in it before the command starts. */
  readonly fillFrom?: string | undefined;
}

export type TimedOptions = Pick<RunOptions, 'cwd' | 'env' | 'bare'> & Filling;

/** Seconds from the start of a command to its end, when all that was written before is on the disk. @throws Error when it fails */
export async function timed(command: readonly string[], { fillFrom, ...options }: TimedOptions = {}): Promise<number> {
  await run('sync', []);
  if (fillFrom !== undefined) await fillMemory(fillFrom);
  const [program = '', ...args] = command;
  const began = performance.now();
  await run(program, args, options);
  return (performance.now() - began) / 1000;
}

/** MiB that stay free. */
const MARGIN = 100;
let fillings = 0;

/**
 * Fills free memory with pages of a file, as it is on a machine that has been up for a while. Whoever writes files then gets
 * memory that the kernel takes back from them; free memory is another matter on a virtual machine that gives it back to its
 * host: getting it again costs up to two seconds a GiB, for whoever asks first.
 */
async function fillMemory(folder: string): Promise<void> {
  const [, free = '0'] = /^MemFree: *([0-9]+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8')) ?? [];
  const mebibytes = Math.floor(Number(free) / 1024) - MARGIN;
  if (mebibytes <= 0) return;
  const file = join(folder, `filling-${fillings++}`); // a hole from start to end, which takes no disk
  await writeFile(file, '');
  await truncate(file, mebibytes * MIB);
  await run('dd', [`if=${file}`, 'of=/dev/null', 'bs=1M']);
}

/**
 * The second of two runs, for what takes a second or less: the first one makes room in the same memory, and nothing else is
 * going on then. Touching more memory would leave the kernel with work of its own on a processor.
 */
export async function warmed(measure: () => Promise<number>): Promise<number> {
  await measure();
  return measure();
}

/** Several commands in turn, run by run, so that a machine that changes its speed does so for all of them. */
export async function inTurns(
  lab: Lab,
  commands: Readonly<Record<string, () => Promise<number>>>,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {};
  for (let i = 0; i < lab.runs; i++) {
    for (const [name, measure] of Object.entries(commands)) {
      const time = await measure();
      lab.say(`${name}: ${time.toFixed(2)} s`);
      (times[name] ??= []).push(time);
    }
  }
  return times;
}

/** An empty registry for one task; it is gone afterwards. */
export async function withRegistry<T>(lab: Lab, task: (registry: RealRegistry) => Promise<T>): Promise<T> {
  const folder = join(lab.folder, 'enclave');
  const registry = await startRegistry(folder, { program: lab.peers.registry });
  try {
    return await task(registry);
  } finally {
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The least that fetching takes: curl to a file, openssl over it, and sync. */
export async function fetchFloor(lab: Lab, set: ImageSet): Promise<number> {
  const file = join(lab.folder, 'floor');
  const urls = layersOf(set).map(({ image, layer }) => `${lab.upstream.url}/v2/${image.name}/blobs/${layer.digest}`);
  const each =
    'for url in "$@"; do curl --silent --fail --output "$0" "$url"; openssl dgst -sha256 "$0"; sync "$0"; done';
  try {
    return await timed(['sh', '-ec', each, file, ...urls], { fillFrom: lab.folder });
  } finally {
    await rm(file, { force: true });
  }
}

/** The least that hashing takes: openssl over each layer. */
export async function hashFloor(set: ImageSet): Promise<number> {
  const files = layersOf(set).map(({ image, layer }) => blobFile(image.layout, layer));
  return timed(['openssl', 'dgst', '-sha256', ...files]);
}

/** The least that a registry takes for each layer after the other: curl with all of it in one request. */
export async function pushFloor(lab: Lab, set: ImageSet, registry: RealRegistry): Promise<number> {
  const commands: string[] = [];
  for (const { image, layer } of layersOf(set)) {
    const started = await fetch(`${registry.url}/v2/${image.name}/blobs/uploads/`, { method: 'POST' });
    const location = started.headers.get('location') ?? '';
    commands.push(blobFile(image.layout, layer), `${location}&digest=${layer.digest}`);
  }
  const each =
    'while [ $# -gt 0 ]; do curl --silent --fail --upload-file "$1" --header "Content-Type: application/octet-stream" "$2"; shift 2; done';
  return timed(['sh', '-ec', each, 'sh', ...commands], { fillFrom: lab.folder });
}

/** The version that a registry says it has. */
export async function registryVersion(program: string): Promise<string> {
  const { stdout } = await run(program, ['--version']);
  return /[0-9]+\.[0-9]+\.[0-9]+/.exec(stdout.trim().split(' ').at(-1) ?? '')?.[0] ?? stdout.trim();
}

/** Of this machine and this source: no name, no path. */
export async function circumstances(
  root: string,
  skopeo: string,
  { registries, movers }: { readonly registries: readonly string[]; readonly movers: readonly string[] },
): Promise<string[]> {
  const { stdout: version } = await run(skopeo, ['--version']);
  return [
    machine(),
    `source ${await sourceCommit(root)}; registry ${registries.join(' and ')} on loopback, without TLS`,
    `beside it: ${[version.trim(), ...movers].join('; ')}`,
  ];
}
