// Where it is measured: a folder with images in a real registry, sites with a lock and a key, and the program as one file.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { privateFolders } from '../interop/airgap.ts';
import { run, type RunOptions } from '../interop/process.ts';
import { startRegistry, type RealRegistry } from '../interop/registry.ts';
import { machine, sourceCommit } from './machine.ts';
import { blobFile, makeLayout, type ImageShape, type MadeImage } from './image.ts';

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
  readonly registry: string;
}

/** An image in the upstream registry, and as a layout on disk. */
export interface LabImage extends MadeImage {
  /** Repository below the registry. */
  readonly name: string;
  readonly layout: string;
  readonly shape: ImageShape;
}

export interface Site {
  readonly folder: string;
  readonly media: string;
  readonly publicKey: string;
}

export async function addImage(lab: Lab, name: string, shape: ImageShape): Promise<LabImage> {
  const layout = join(lab.folder, 'layouts', name);
  const made = await makeLayout(layout, shape, name);
  const to = `docker://${lab.upstream.host}/bench/${name}:1.0`;
  await run('skopeo', ['copy', '--quiet', '--preserve-digests', '--dest-tls-verify=false', `oci:${layout}:1.0`, to]);
  return { name: `bench/${name}`, layout, shape, ...made };
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

/** MiB that moving a GiB may need of it: a build writes to its cache and its bundle, a registry to its storage. */
const MEMORY = 3 * 1024;

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
export async function ours(lab: Lab, site: Site, args: readonly string[], memoryIn?: string): Promise<number> {
  return timed([lab.program, ...args], { cwd: site.folder, bare: true, env: privateFolders(site.folder), memoryIn });
}

export interface TimedOptions extends Pick<RunOptions, 'cwd' | 'env' | 'bare'> {
  /** A folder: memory is used and freed before it starts, by way of a file in it. */
  readonly memoryIn?: string | undefined;
}

/** Seconds from the start of a command to its end, when all that was written before is on the disk. @throws Error when it fails */
export async function timed(command: readonly string[], { memoryIn, ...options }: TimedOptions = {}): Promise<number> {
  await run('sync', []);
  if (memoryIn !== undefined) await touchMemory(memoryIn);
  const [program = '', ...args] = command;
  const began = performance.now();
  await run(program, args, options);
  return (performance.now() - began) / 1000;
}

/**
 * What a process writes to files needs memory, and a virtual machine that gave free memory back to its host gets it again
 * slowly: a second or two for each GiB, for whoever asks first.
 */
async function touchMemory(folder: string): Promise<void> {
  const file = join(folder, 'zeros');
  await run('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${MEMORY}`]);
  await rm(file);
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
export async function fetchFloor(lab: Lab, image: LabImage): Promise<number> {
  const file = join(lab.folder, 'floor');
  const urls = image.layers.map(({ digest }) => `${lab.upstream.url}/v2/${image.name}/blobs/${digest}`);
  const each =
    'for url in "$@"; do curl --silent --fail --output "$0" "$url"; openssl dgst -sha256 "$0"; sync "$0"; done';
  try {
    return await timed(['sh', '-ec', each, file, ...urls], { memoryIn: lab.folder });
  } finally {
    await rm(file, { force: true });
  }
}

/** The least that hashing takes: openssl over each layer. */
export async function hashFloor(image: LabImage): Promise<number> {
  return timed(['openssl', 'dgst', '-sha256', ...image.layers.map((layer) => blobFile(image.layout, layer))]);
}

/** The least that a registry takes for each layer after the other: curl with all of it in one request. */
export async function pushFloor(lab: Lab, image: LabImage, registry: RealRegistry): Promise<number> {
  const commands: string[] = [];
  for (const layer of image.layers) {
    const started = await fetch(`${registry.url}/v2/${image.name}/blobs/uploads/`, { method: 'POST' });
    const location = started.headers.get('location') ?? '';
    commands.push(blobFile(image.layout, layer), `${location}&digest=${layer.digest}`);
  }
  const each =
    'while [ $# -gt 0 ]; do curl --silent --fail --upload-file "$1" --header "Content-Type: application/octet-stream" "$2"; shift 2; done';
  return timed(['sh', '-ec', each, 'sh', ...commands], { memoryIn: lab.folder });
}

/** Of this machine and this source: no name, no path. */
export async function circumstances(root: string, peers: Peers): Promise<string[]> {
  const { stdout: skopeo } = await run(peers.skopeo, ['--version']);
  const { stdout: registry } = await run(peers.registry, ['--version']);
  return [
    machine(),
    `source ${await sourceCommit(root)}; ${skopeo.trim()}; registry ${registry.trim().split(' ').at(-1) ?? ''} on loopback, without TLS`,
  ];
}
