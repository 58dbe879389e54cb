// Build and load against skopeo, and against the least that this machine can do.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
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
  withRegistry,
  type Lab,
  type LabImage,
} from './lab.ts';
import { MIB } from './image.ts';

export async function measureBuild(lab: Lab, images: readonly LabImage[]): Promise<Section> {
  const rows: (string | Goal)[][] = [];
  for (const image of images) {
    const site = await addSite(lab, image.name.replace('/', '-'), [image]);
    const archive = join(lab.folder, 'archive.tar');
    const from = `docker://${lab.upstream.host}/${image.name}:1.0`;
    const times = await inTurns(runsOf(lab, image), {
      build: async () => {
        await forget(site);
        return ours(lab, site, BUILD, lab.folder);
      },
      skopeo: async () => {
        await rm(archive, { force: true });
        const copy = `skopeo copy --quiet --src-tls-verify=false "$0" "oci-archive:$1:1.0" && sync "$1"`;
        return timed(['sh', '-c', copy, from, archive], { memoryIn: lab.folder });
      },
      floor: () => fetchFloor(lab, image),
    });
    await rm(archive, { force: true });
    rows.push([
      shapeText(image),
      time(times, 'build'),
      time(times, 'skopeo'),
      ratio(times, 'skopeo', 0.6),
      time(times, 'floor'),
    ]);
  }
  return {
    title: 'build',
    text: 'From an empty cache to a signed and synced bundle, the cache written too, against `skopeo copy docker://… oci-archive:FILE && sync FILE`. The floor is curl to a file, `openssl dgst` over it, and sync, layer by layer.',
    head: ['image', 'build', 'skopeo', 'build / skopeo', 'floor'],
    rows,
  };
}

export async function measureLoad(lab: Lab, images: readonly LabImage[]): Promise<Section> {
  const rows: (string | Goal)[][] = [];
  for (const image of images) {
    const site = await addSite(lab, image.name.replace('/', '-'), [image]);
    await ours(lab, site, BUILD);
    const archive = join(lab.folder, 'archive.tar');
    await run('skopeo', ['copy', '--quiet', `oci:${image.layout}:1.0`, `oci-archive:${archive}:1.0`]);
    const copy = (from: string) => () =>
      withRegistry(lab, (registry) =>
        timed(
          ['skopeo', 'copy', '--quiet', '--dest-tls-verify=false', from, `docker://${registry.host}/${image.name}:1.0`],
          { memoryIn: lab.folder },
        ),
      );
    const times = await inTurns(runsOf(lab, image), {
      load: () => withRegistry(lab, (registry) => ours(lab, site, loadCommand(site, registry), lab.folder)),
      archive: copy(`oci-archive:${archive}:1.0`),
      folder: copy(`oci:${image.layout}:1.0`),
      curl: () => withRegistry(lab, (registry) => pushFloor(lab, image, registry)),
      hash: () => hashFloor(image),
    });
    await rm(archive, { force: true });
    rows.push([
      shapeText(image),
      time(times, 'load'),
      time(times, 'archive'),
      ratio(times, 'archive', 0.6, 'load'),
      time(times, 'folder'),
      ratio(times, 'folder', 0.9, 'load'),
      time(times, 'curl'),
      time(times, 'hash'),
    ]);
  }
  return {
    title: 'load',
    text: 'From the bundle, every byte verified, into an empty registry, against `skopeo copy` from an oci-archive and from an unpacked OCI layout. The floor is curl with each layer in one request, which is what the registry takes from whoever sends it, and `openssl dgst` over the layers.',
    head: ['image', 'load', 'oci-archive', 'load / oci-archive', 'oci folder', 'load / oci folder', 'curl', 'hash'],
    rows,
  };
}

export async function measureLoadAgain(lab: Lab, images: readonly LabImage[]): Promise<Section> {
  const site = await addSite(lab, 'again', images);
  await ours(lab, site, BUILD);
  const times = await withRegistry(lab, async (registry) => {
    await ours(lab, site, loadCommand(site, registry));
    return inTurns(lab, { 'load again': () => ours(lab, site, loadCommand(site, registry)) });
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

/** What takes long is run once. */
function runsOf(lab: Lab, image: LabImage): Lab {
  return image.bytes > 2048 * MIB ? { ...lab, runs: 1 } : lab;
}

export function shapeText({ shape }: LabImage): string {
  return `${shape.layers} × ${shape.layerBytes / MIB} MiB`;
}

function time(times: Record<string, number[]>, name: string): string {
  return seconds(spread(times[name] ?? []));
}

function ratio(times: Record<string, number[]>, rival: string, limit: number, own = 'build'): Goal {
  const [a, b] = [spread(times[own] ?? []), spread(times[rival] ?? [])];
  return { value: a.median / b.median, limit, unit: '' };
}
