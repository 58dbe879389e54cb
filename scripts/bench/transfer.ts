// Build and load against skopeo, and against the least that this machine can do.
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { forEach } from '../../src/core/pool.ts';
import { run } from '../interop/process.ts';
import type { Goal, Section } from './report.ts';
import { seconds } from './report.ts';
import { spread } from './stats.ts';
import {
  addSite,
  BUILD,
  fetchFloor,
  forget,
  hashFloor,
  inTurns,
  loadCommand,
  ours,
  pushFloor,
  timed,
  warmed,
  withRegistry,
  type ImageSet,
  type Lab,
  type LabImage,
} from './lab.ts';
import { pullAll, pushAll, type MoverPeer } from './movers.ts';

export async function measureBuild(lab: Lab, sets: readonly ImageSet[]): Promise<Section> {
  const rows = await forEach(sets, (set) => buildRow(lab, set), { concurrency: 1 });
  return {
    title: `build, from registry ${lab.peers.registryVersion}`,
    text: `From an empty cache to a signed and synced bundle, the cache written too, against \`skopeo copy docker://… oci-archive:FILE && sync FILE\` for each image${andMovers(lab, 'each image copied to an OCI layout on the disk, synced')}. The floor is curl to a file, \`openssl dgst\` over it, and sync, layer by layer.`,
    head: ['image', 'build', 'skopeo', 'build / skopeo', ...moverHeads(lab, 'build'), 'floor'],
    rows,
  };
}

async function buildRow(lab: Lab, set: ImageSet): Promise<(string | Goal)[]> {
  const { images } = set;
  const site = await addSite(lab, set.name, images);
  const archives = join(lab.folder, 'archives');
  const times = await inTurns(lab, {
    build: async () => {
      const time = await ours(lab, site, BUILD, { fillFrom: lab.folder });
      await forget(site);
      return time;
    },
    skopeo: () =>
      inFolder(archives, () => {
        const copy =
          'folder="$1"; shift 2; for name in "$@"; do file="$folder/$(basename "$name").tar"; "$0" copy --quiet --src-tls-verify=false "docker://$HOST/$name:1.0" "oci-archive:$file:1.0"; sync "$file"; done';
        const names = images.map(({ name }) => name);
        const command = [
          'sh',
          '-ec',
          copy.replace('$HOST', lab.upstream.host),
          lab.peers.skopeo,
          archives,
          '',
          ...names,
        ];
        return timed(command, { fillFrom: lab.folder });
      }),
    ...ofMovers(lab, (mover) => () => {
      const folder = join(lab.folder, 'pulled');
      const move = { host: lab.upstream.host, images, folder };
      return inFolder(folder, () => timed(pullAll(mover, move), { fillFrom: lab.folder }));
    }),
    floor: () => fetchFloor(lab, set),
  });
  return [
    set.text,
    time(times, 'build'),
    time(times, 'skopeo'),
    ratio(times, 'build', 'skopeo', { limit: 0.6, floor: 'floor' }),
    ...moverCells(lab, times, 'build'),
    time(times, 'floor'),
  ];
}

export async function measureLoad(lab: Lab, sets: readonly ImageSet[]): Promise<Section> {
  const rows = await forEach(sets, (set) => loadRow(lab, set), { concurrency: 1 });
  return {
    title: `load, into registry ${lab.peers.registryVersion}`,
    text: `From the bundle, every byte verified, into an empty registry, against \`skopeo copy\` of each image from an oci-archive and from an unpacked OCI layout${andMovers(lab, 'each image from an OCI layout')}. The floor is curl with each layer in one request, which is what the registry takes from whoever sends it, and \`openssl dgst\` over the layers.`,
    head: [
      'image',
      'load',
      'oci-archive',
      'load / oci-archive',
      'oci folder',
      'load / oci folder',
      ...moverHeads(lab, 'load'),
      'curl',
      'hash',
    ],
    rows,
  };
}

async function loadRow(lab: Lab, set: ImageSet): Promise<(string | Goal)[]> {
  const { images } = set;
  const { skopeo } = lab.peers;
  const site = await addSite(lab, set.name, images);
  await ours(lab, site, BUILD);
  await rm(join(site.folder, 'cache'), { recursive: true });
  const archives = join(lab.folder, 'archives');
  const pulled = join(lab.folder, 'pulled');
  const archiveOf = ({ name }: LabImage): string => `oci-archive:${join(archives, `${basename(name)}.tar`)}:1.0`;
  await mkdir(archives, { recursive: true });
  for (const image of images) await run('skopeo', ['copy', '--quiet', `oci:${image.layout}:1.0`, archiveOf(image)]);
  for (const mover of lab.peers.movers) {
    const move = { host: lab.upstream.host, images, folder: join(pulled, mover.name) };
    await mkdir(move.folder, { recursive: true });
    await timed(pullAll(mover, move));
  }
  const copy = (from: (image: LabImage) => string) => () =>
    withRegistry(lab, (registry) => {
      const each = 'while [ $# -gt 0 ]; do "$0" copy --quiet --dest-tls-verify=false "$1" "$2"; shift 2; done';
      const pairs = images.flatMap((image) => [from(image), `docker://${registry.host}/${image.name}:1.0`]);
      return timed(['sh', '-ec', each, skopeo, ...pairs], { fillFrom: lab.folder });
    });
  const times = await inTurns(lab, {
    load: () => withRegistry(lab, (registry) => ours(lab, site, loadCommand(site, registry), { fillFrom: lab.folder })),
    archive: copy(archiveOf),
    folder: copy(({ layout }) => `oci:${layout}:1.0`),
    ...ofMovers(
      lab,
      (mover) => () =>
        withRegistry(lab, ({ host }) =>
          timed(pushAll(mover, { host, images, folder: join(pulled, mover.name) }), { fillFrom: lab.folder }),
        ),
    ),
    curl: () => withRegistry(lab, (registry) => pushFloor(lab, set, registry)),
    hash: () => hashFloor(set),
  });
  for (const folder of [archives, pulled]) await rm(folder, { recursive: true, force: true });
  await forget(site);
  return [
    set.text,
    time(times, 'load'),
    time(times, 'archive'),
    ratio(times, 'load', 'archive', { limit: 0.6, floor: 'curl' }),
    time(times, 'folder'),
    ratio(times, 'load', 'folder', { limit: 0.9, floor: 'curl' }),
    ...moverCells(lab, times, 'load'),
    time(times, 'curl'),
    time(times, 'hash'),
  ];
}

/** An empty folder for one task; it is gone afterwards. */
async function inFolder<T>(folder: string, task: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true });
  try {
    return await task();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ofMovers(
  { peers }: Lab,
  measure: (mover: MoverPeer) => () => Promise<number>,
): Record<string, () => Promise<number>> {
  return Object.fromEntries(peers.movers.map((mover) => [mover.name, measure(mover)]));
}

function andMovers({ peers }: Lab, what: string): string {
  return peers.movers.length === 0 ? '' : `, and ${peers.movers.map(({ name }) => name).join(', ')}: ${what}`;
}

function moverHeads({ peers }: Lab, own: string): string[] {
  return peers.movers.flatMap(({ name }) => [name, `${own} / ${name}`]);
}

function moverCells({ peers }: Lab, times: Record<string, number[]>, own: string): string[] {
  const median = (name: string): number => spread(times[name] ?? []).median;
  return peers.movers.flatMap(({ name }) => [time(times, name), (median(own) / median(name)).toFixed(2)]);
}

export async function measureLoadAgain(lab: Lab, { images, text }: ImageSet): Promise<Section> {
  const site = await addSite(lab, 'again', images);
  await ours(lab, site, BUILD);
  const times = await withRegistry(lab, async (registry) => {
    await ours(lab, site, loadCommand(site, registry));
    return inTurns(lab, { 'load again': () => warmed(() => ours(lab, site, loadCommand(site, registry))) });
  });
  const { median, from, to } = spread(times['load again'] ?? []);
  return {
    title: 'load again',
    text: 'Everything is in the registry already: it is asked for each manifest and blob, and nothing is sent.',
    head: ['bundle', 'range', 'load again'],
    rows: [[text, `${from.toFixed(2)}–${to.toFixed(2)} s`, { value: median, limit: 1.5, unit: ' s' }]],
  };
}

function time(times: Record<string, number[]>, name: string): string {
  return seconds(spread(times[name] ?? []));
}

/** @param floor the name of what does no more than it must: with its own ratio above the limit, nobody can keep it */
function ratio(
  times: Record<string, number[]>,
  own: string,
  rival: string,
  { limit, floor }: { readonly limit: number; readonly floor: string },
): Goal {
  const median = (name: string): number => spread(times[name] ?? []).median;
  return { value: median(own) / median(rival), limit, unit: '', floor: median(floor) / median(rival) };
}
