// `npm run bench`: what build, load, verify and serve take here, beside skopeo and the least that this machine can do.
// Usage: npm run bench [-- --quick] [--runs N] [--only SECTION …] [--program FILE] [--skopeo FILE] [--registry FILE …]
//        [--page FILE] [--scratch FOLDER]
// build and load are measured beside each registry: by default Debian's, and the current release, which Go builds.
// Without other options than --scratch it writes docs/benchmark.md; the status is 1 when a goal is missed.
import { access, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { circumstances, makeImage, pushImage, registryVersion, type Lab, type LabImage } from './bench/lab.ts';
import { MIB, type ImageShape } from './bench/image.ts';
import { commandLine, missed, renderPage, type Section } from './bench/report.ts';
import { measureMemory, measureScratch, measureStart, measureVerify } from './bench/single.ts';
import { measureBuild, measureLoad, measureLoadAgain } from './bench/transfer.ts';
import { currentRegistry } from './interop/own-tools.ts';
import { run } from './interop/process.ts';
import { startRegistry } from './interop/registry.ts';
import { debianPackages, isHere, type DebianTool } from './interop/tools.ts';
import { wholeNumber } from './options.ts';
import { inScratch } from './scratch.ts';

const root = new URL('..', import.meta.url).pathname;
const PAGE = 'docs/benchmark.md';
const TOOLS: readonly DebianTool[] = ['skopeo', 'docker-registry', 'openssl', 'curl', 'time', 'setpriv', 'unshare'];

const sections = {
  build: async (lab: Lab, image: Images) => measureBuild(lab, await images(image)),
  load: async (lab: Lab, image: Images) => measureLoad(lab, await images(image)),
  again: async (lab: Lab, image: Images) =>
    measureLoadAgain(lab, await Promise.all(Array.from({ length: 30 }, (_, i) => image(`small-${i}`)))),
  verify: async (lab: Lab, image: Images) => measureVerify(lab, [await image('one'), await image('four')]),
  memory: async (lab: Lab, image: Images) => measureMemory(lab, [await image('one'), await image('four')]),
  scratch: async (lab: Lab, image: Images) => measureScratch(lab, await image('one')),
  start: (lab: Lab) => measureStart(lab),
} satisfies Record<string, (lab: Lab, image: Images) => Promise<Section>>;

/** Measured beside each registry; the others beside the first. */
const BESIDE_EACH: readonly string[] = ['build', 'load'];

/** An image by its name, made and pushed when it is first asked for. */
type Images = (name: string) => Promise<LabImage>;

async function images(image: Images): Promise<LabImage[]> {
  return [await image('sixteen'), await image('one'), await image('four')];
}

function shapeOf(name: string, quick: boolean): ImageShape {
  const unit = quick ? MIB : 64 * MIB;
  if (name === 'sixteen') return { layers: 16, layerBytes: unit };
  if (name === 'one') return { layers: 1, layerBytes: 16 * unit };
  if (name === 'four') return { layers: 1, layerBytes: 64 * unit };
  return { layers: 10, layerBytes: 64 * 1024 };
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    program: { type: 'string' },
    skopeo: { type: 'string' },
    registry: { type: 'string', multiple: true },
    page: { type: 'string' },
    scratch: { type: 'string', default: tmpdir() },
  },
});
const wanted = values.only.length === 0 ? Object.keys(sections) : values.only;

async function main(): Promise<void> {
  await requireTools();
  await requireSpace(values.scratch, values.quick ? 1 : 46);
  const program = values.program === undefined ? await packaged() : resolve(values.program);
  const skopeo = values.skopeo === undefined ? 'skopeo' : resolve(values.skopeo);
  const registries = values.registry?.map((path) => resolve(path)) ?? ['docker-registry', await currentRegistry()];
  const runs = wholeNumber('--runs', values.runs) ?? (values.quick ? 1 : 5);
  await inScratch(values.scratch, 'eck-airgap-bench-', async (folder) => {
    const labs: Lab[] = [];
    try {
      for (const [i, registry] of registries.entries()) {
        const peers = { skopeo, registry, registryVersion: await registryVersion(registry) };
        const upstream = await startRegistry(join(folder, `upstream-${i}`), { program: registry });
        labs.push({ folder, program, runs, upstream, peers, say: (text) => console.error(text) });
      }
      const measured = await measureAll(folder, labs);
      const versions = labs.map(({ peers }) => peers.registryVersion);
      await publish(measured, await circumstances(root, skopeo, versions), runs);
    } finally {
      await Promise.all(labs.map(({ upstream }) => upstream.stop()));
    }
  });
}

async function measureAll(folder: string, labs: readonly Lab[]): Promise<Section[]> {
  const make = remembering((name: string) => makeImage(folder, name, shapeOf(name, values.quick)));
  const beside = labs.map((lab) => ({
    lab,
    image: remembering(async (name: string) => {
      const image = await make(name);
      await pushImage(lab, image);
      return image;
    }),
  }));
  const measured: Section[] = [];
  for (const [name, measure] of Object.entries(sections)) {
    if (!wanted.includes(name)) continue;
    for (const { lab, image } of BESIDE_EACH.includes(name) ? beside : beside.slice(0, 1)) {
      lab.say(`# ${name}, registry ${lab.peers.registryVersion}`);
      measured.push(await measure(lab, image));
    }
  }
  return measured;
}

function remembering<T>(make: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
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
