// `npm run bench`: what build, load, verify and serve take here, beside skopeo and the least that this machine can do.
// Usage: npm run bench [-- --quick] [--runs N] [--only SECTION …] [--program FILE] [--skopeo FILE] [--movers] [--registry FILE …]
//        [--page FILE] [--scratch FOLDER]
// build and load are measured beside each registry: by default Debian's, and the current release, which Go builds; and beside
// crane, oras and regctl, where Go can build them (--quick leaves them out, unless --movers is there).
// Without other options than --scratch it writes docs/benchmark.md; the status is 1 when a goal is missed.
import { access, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { elasticImages } from './bench/elastic.ts';
import { equalLayers, MIB } from './bench/image.ts';
import {
  circumstances,
  makeSet,
  pushSet,
  registryVersion,
  type ImageSet,
  type Lab,
  type SetShape,
} from './bench/lab.ts';
import type { MoverPeer } from './bench/movers.ts';
import { commandLine, missed, renderPage, type Section } from './bench/report.ts';
import { measureMemory, measureScratch, measureStart, measureVerify } from './bench/single.ts';
import { measureBuild, measureLoad, measureLoadAgain } from './bench/transfer.ts';
import { bringMover, currentRegistry, moverNames } from './interop/own-tools.ts';
import { run } from './interop/process.ts';
import { startRegistry } from './interop/registry.ts';
import { debianPackages, isHere, type DebianTool } from './interop/tools.ts';
import { wholeNumber } from './options.ts';
import { inScratch } from './scratch.ts';

const root = new URL('..', import.meta.url).pathname;
const PAGE = 'docs/benchmark.md';
const TOOLS: readonly DebianTool[] = ['skopeo', 'docker-registry', 'openssl', 'curl', 'time', 'setpriv', 'unshare'];

const sections = {
  build: async (lab: Lab, set: Sets) => measureBuild(lab, await moved(set)),
  load: async (lab: Lab, set: Sets) => measureLoad(lab, await moved(set)),
  again: async (lab: Lab, set: Sets) => measureLoadAgain(lab, await set('thirty')),
  verify: async (lab: Lab, set: Sets) =>
    measureVerify(lab, [await set('one'), await set('four'), await set('elastic')]),
  memory: async (lab: Lab, set: Sets) =>
    measureMemory(lab, [await set('one'), await set('four'), await set('elastic')]),
  scratch: async (lab: Lab, set: Sets) => measureScratch(lab, await set('one')),
  start: (lab: Lab) => measureStart(lab),
} satisfies Record<string, (lab: Lab, set: Sets) => Promise<Section>>;

/** Measured beside each registry; the others beside the first. */
const BESIDE_EACH: readonly string[] = ['build', 'load'];

/** A set of images by its name, made and pushed when it is first asked for. */
type Sets = (name: SetName) => Promise<ImageSet>;
type SetName = 'sixteen' | 'one' | 'four' | 'elastic' | 'thirty';

async function moved(set: Sets): Promise<ImageSet[]> {
  return [await set('sixteen'), await set('one'), await set('four'), await set('elastic')];
}

function shapeOf(name: SetName, quick: boolean): SetShape {
  const unit = quick ? MIB : 64 * MIB;
  const single = (count: number, bytes: number): SetShape => ({
    text: `${count} × ${bytes / MIB} MiB`,
    images: [equalLayers(count, bytes, name)],
  });
  if (name === 'sixteen') return single(16, unit);
  if (name === 'one') return single(1, 16 * unit);
  if (name === 'four') return single(1, 64 * unit);
  if (name === 'elastic') {
    const images = elasticImages(quick ? 64 : 1);
    return { text: `elastic: ${images.length} images, ${images.flat().length} layers`, images };
  }
  const images = Array.from({ length: 30 }, (_, i) => equalLayers(10, 64 * 1024, `small-${i}`));
  return { text: '30 images of 10 layers', images };
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    program: { type: 'string' },
    skopeo: { type: 'string' },
    movers: { type: 'boolean' },
    registry: { type: 'string', multiple: true },
    page: { type: 'string' },
    scratch: { type: 'string', default: tmpdir() },
  },
});
const wanted = values.only.length === 0 ? Object.keys(sections) : values.only;

async function main(): Promise<void> {
  await requireTools();
  await requireSpace(values.scratch, values.quick ? 1 : 60);
  const program = values.program === undefined ? await packaged() : resolve(values.program);
  const skopeo = values.skopeo === undefined ? 'skopeo' : resolve(values.skopeo);
  const registries = values.registry?.map((path) => resolve(path)) ?? ['docker-registry', await currentRegistry()];
  const { movers, shown } = await broughtMovers();
  const runs = wholeNumber('--runs', values.runs) ?? (values.quick ? 1 : 5);
  await inScratch(values.scratch, 'eck-airgap-bench-', async (folder) => {
    const labs: Lab[] = [];
    try {
      for (const [i, registry] of registries.entries()) {
        const peers = { skopeo, registry, registryVersion: await registryVersion(registry), movers };
        const upstream = await startRegistry(join(folder, `upstream-${i}`), { program: registry });
        labs.push({ folder, program, runs, upstream, peers, say: (text) => console.error(text) });
      }
      const measured = await measureAll(folder, labs);
      const versions = labs.map(({ peers }) => peers.registryVersion);
      await publish(measured, await circumstances(root, skopeo, { registries: versions, movers: shown }), runs);
    } finally {
      await Promise.all(labs.map(({ upstream }) => upstream.stop()));
    }
  });
}

/** What Go could build, and how the page says what is there and what is not. */
async function broughtMovers(): Promise<{ movers: MoverPeer[]; shown: string[] }> {
  const movers: MoverPeer[] = [];
  const shown: string[] = [];
  if (values.quick && values.movers !== true) return { movers, shown };
  for (const name of moverNames) {
    const brought = await bringMover(name);
    if ('path' in brought) movers.push({ name, ...brought });
    shown.push('path' in brought ? `${name} ${brought.version}` : `${name} is absent: ${brought.missing}`);
  }
  return { movers, shown };
}

async function measureAll(folder: string, labs: readonly Lab[]): Promise<Section[]> {
  const make = remembering((name: SetName) => makeSet(folder, name, shapeOf(name, values.quick)));
  const beside = labs.map((lab) => ({
    lab,
    set: remembering(async (name: SetName) => {
      const set = await make(name);
      await pushSet(lab, set);
      return set;
    }),
  }));
  const measured: Section[] = [];
  for (const [name, measure] of Object.entries(sections)) {
    if (!wanted.includes(name)) continue;
    for (const { lab, set } of BESIDE_EACH.includes(name) ? beside : beside.slice(0, 1)) {
      lab.say(`# ${name}, registry ${lab.peers.registryVersion}`);
      measured.push(await measure(lab, set));
    }
  }
  return measured;
}

function remembering<T>(make: (name: SetName) => Promise<T>): (name: SetName) => Promise<T> {
  const made = new Map<SetName, Promise<T>>();
  return (name) => {
    const known = made.get(name) ?? make(name);
    made.set(name, known);
    return known;
  };
}

async function publish(measured: readonly Section[], where: readonly string[], runs: number): Promise<void> {
  const page = renderPage({
    title: 'Benchmark',
    command: commandLine('npm run bench', process.argv.slice(2)),
    circumstances: [
      ...where,
      `times are medians of ${runs} in turns (the fastest and the slowest in brackets), layers are gzipped bytes that do not compress`,
      'before each run of build, of load and of what they are compared with, free memory is filled with the pages of a file, as on a machine that has been up for a while; of load again and verify the second of two runs is counted',
    ],
    sections: measured,
  });
  const file = values.page ?? (isWhole() ? join(root, PAGE) : undefined);
  if (file === undefined) console.log(page);
  else await writeFile(file, page);
  if (values.quick) return; // what starting costs is most of it then
  for (const line of missed(measured)) {
    console.error(`missed: ${line}`);
    process.exitCode = 1;
  }
}

/** Whether what was measured is all of this source, in the usual way. */
function isWhole(): boolean {
  const { quick, only, runs, program, skopeo, registry } = values;
  return !quick && only.length === 0 && [runs, program, skopeo, registry].every((value) => value === undefined);
}

async function packaged(): Promise<string> {
  const path = join(root, 'dist', 'eck-airgap-linux-x64');
  await run(process.execPath, [join(root, 'scripts/package.ts'), '--target', 'linux-x64'], { cwd: root });
  await access(path);
  return path;
}

async function requireTools(): Promise<void> {
  const missing: string[] = [];
  for (const tool of TOOLS)
    if (!(await isHere(tool))) missing.push(`${tool} (apt-get install ${debianPackages[tool]})`);
  if (missing.length > 0) throw new Error(`the benchmark needs ${missing.join(', ')}`);
}

async function requireSpace(folder: string, gib: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / 1024 ** 3;
  if (free < gib) throw new Error(`${folder} has ${free.toFixed(1)} GiB; the benchmark takes ${gib}: --scratch FOLDER`);
}

try {
  const unknown = wanted.find((name) => !Object.hasOwn(sections, name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there are ${Object.keys(sections).join(', ')}`);
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
