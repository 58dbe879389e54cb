// Build and load against skopeo, and against the least that this machine can do.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
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
  type Lab,
  type LabImage,
} from './lab.ts';
import { MIB } from './image.ts';

export async function measureBuild(lab: Lab, images: readonly LabImage[]): Promise<Section> {
  const rows = await forEach(images, (image) => buildRow(lab, image), { concurrency: 1 });
  return {
    title: `build, from registry ${lab.peers.registryVersion}`,
    text: 'From an empty cache to a signed and synced bundle, the cache written too, against `skopeo copy docker://… oci-archive:FILE && sync FILE`. The floor is curl to a file, `openssl dgst` over it, and sync, layer by layer.',
    head: ['image', 'build', 'skopeo', 'build / skopeo', 'floor'],
    rows,
  };
}

async function buildRow(lab: Lab, image: LabImage): Promise<(string | Goal)[]> {
  const site = await addSite(lab, image.name.replace('/', '-'), [image]);
  const archive = join(lab.folder, 'archive.tar');
  const from = `docker://${lab.upstream.host}/${image.name}:1.0`;
  const times = await inTurns(lab, {
    build: async () => {
      const time = await ours(lab, site, BUILD, { fillFrom: lab.folder });
      await forget(site);
      return time;
    },
    skopeo: async () => {
      const copy = '"$0" copy --quiet --src-tls-verify=false "$1" "oci-archive:$2:1.0" && sync "$2"';
      const time = await timed(['sh', '-c', copy, lab.peers.skopeo, from, archive], { fillFrom: lab.folder });
      await rm(archive);
      return time;
    },
    floor: () => fetchFloor(lab, image),
  });
  return [
    shapeText(image),
    time(times, 'build'),
    time(times, 'skopeo'),
    ratio(times, 'build', 'skopeo', { limit: 0.6, floor: 'floor' }),
    time(times, 'floor'),
  ];
}

export async function measureLoad(lab: Lab, images: readonly LabImage[]): Promise<Section> {
  const rows = await forEach(images, (image) => loadRow(lab, image), { concurrency: 1 });
  return {
    title: `load, into registry ${lab.peers.registryVersion}`,
    text: 'From the bundle, every byte verified, into an empty registry, against `skopeo copy` from an oci-archive and from an unpacked OCI layout. The floor is curl with each layer in one request, which is what the registry takes from whoever sends it, and `openssl dgst` over the layers.',
    head: ['image', 'load', 'oci-archive', 'load / oci-archive', 'oci folder', 'load / oci folder', 'curl', 'hash'],
    rows,
  };
}

async function loadRow(lab: Lab, image: LabImage): Promise<(string | Goal)[]> {
  const site = await addSite(lab, image.name.replace('/', '-'), [image]);
  await ours(lab, site, BUILD);
  await rm(join(site.folder, 'cache'), { recursive: true });
  const archive = join(lab.folder, 'archive.tar');
  await run('skopeo', ['copy', '--quiet', `oci:${image.layout}:1.0`, `oci-archive:${archive}:1.0`]);
  const { skopeo } = lab.peers;
  const copy = (from: string) => () =>
    withRegistry(lab, (registry) => {
      const to = `docker://${registry.host}/${image.name}:1.0`;
      return timed([skopeo, 'copy', '--quiet', '--dest-tls-verify=false', from, to], { fillFrom: lab.folder });
    });
  const times = await inTurns(lab, {
    load: () => withRegistry(lab, (registry) => ours(lab, site, loadCommand(site, registry), { fillFrom: lab.folder })),
    archive: copy(`oci-archive:${archive}:1.0`),
    folder: copy(`oci:${image.layout}:1.0`),
    curl: () => withRegistry(lab, (registry) => pushFloor(lab, image, registry)),
    hash: () => hashFloor(image),
  });
  await rm(archive);
  await forget(site);
  return [
    shapeText(image),
    time(times, 'load'),
    time(times, 'archive'),
    ratio(times, 'load', 'archive', { limit: 0.6, floor: 'curl' }),
    time(times, 'folder'),
    ratio(times, 'load', 'folder', { limit: 0.9, floor: 'curl' }),
    time(times, 'curl'),
    time(times, 'hash'),
  ];
}

export async function measureLoadAgain(lab: Lab, images: readonly LabImage[]): Promise<Section> {
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
    rows: [
      [
        `${images.length} images of ${images[0]?.layers.length ?? 0} layers`,
        `${from.toFixed(2)}–${to.toFixed(2)} s`,
        { value: median, limit: 1.5, unit: ' s' },
      ],
    ],
  };
}

export function shapeText({ shape }: LabImage): string {
  return `${shape.layers} × ${shape.layerBytes / MIB} MiB`;
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
