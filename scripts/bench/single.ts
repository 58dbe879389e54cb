// What one command costs for itself: verify's speed, memory, scratch space, start.
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { privateFolders } from '../interop/airgap.ts';
import { onReadOnlyMachine, peakOfTree, serveOnReadOnlyMachine } from '../interop/measure.ts';
import { output, run, startDaemon } from '../interop/process.ts';
import { memoryGroup, type MemoryGroup } from './cgroup.ts';
import { MIB } from './image.ts';
import {
  addSite,
  BUILD,
  forget,
  inTurns,
  layersOf,
  loadCommand,
  ours,
  timed,
  warmed,
  withRegistry,
  type ImageSet,
  type Lab,
  type Site,
} from './lab.ts';
import type { Goal, Section } from './report.ts';
import { seconds } from './report.ts';
import { opensslSpeed, spread } from './stats.ts';

const LIMIT_MIB = 200;

/** @param sets the small one, then the large one, of which what it takes longer is without what starting takes; then others */
export async function measureVerify(lab: Lab, sets: readonly [ImageSet, ImageSet, ...ImageSet[]]): Promise<Section> {
  const rows: (string | Goal)[][] = [];
  const medians: { readonly bytes: number; readonly one: number; readonly two: number; readonly core: number }[] = [];
  for (const set of sets) {
    const site = await builtSite(lab, set);
    const verify = (workers: number) => () => {
      const args = ['verify', site.media, '--key', site.publicKey, '--quiet', '--workers', String(workers)];
      return warmed(() => ours(lab, site, args));
    };
    const speeds: number[] = [];
    const times = await inTurns(lab, {
      'openssl speed': async () => {
        const speed = ['speed', '-seconds', '2', '-bytes', String(MIB), 'sha256'];
        speeds.push(opensslSpeed(await output('openssl', speed)));
        return 2;
      },
      'one thread': verify(1),
      'two threads': verify(2),
    });
    const [one, two] = [spread(times['one thread'] ?? []), spread(times['two threads'] ?? [])];
    const core = spread(speeds).median;
    medians.push({ bytes: set.bytes, one: one.median, two: two.median, core });
    rows.push([
      set.text,
      `${Math.round(core / 1e6)} MB/s`,
      seconds(one),
      { value: (100 * set.bytes) / one.median / core, limit: 85, atLeast: true, unit: ' %' },
      seconds(two),
      { value: one.median / two.median, limit: 1.3, atLeast: true, unit: ' ×' },
    ]);
  }
  const [small, large] = medians;
  if (small && large) {
    const [bytes, one, two] = [large.bytes - small.bytes, large.one - small.one, large.two - small.two];
    rows.push([
      `the ${Math.round(bytes / MIB)} MiB more`,
      '',
      `${one.toFixed(2)} s`,
      `${((100 * bytes) / one / large.core).toFixed(2)} %`,
      `${two.toFixed(2)} s`,
      `${(one / two).toFixed(2)} ×`,
    ]);
  }
  return {
    title: 'verify',
    text: 'Every byte of a bundle in the page cache, as a whole process from start to end, against what `openssl speed` gives for sha256 on one core. The installer beside the bundle is hashed meanwhile on the main thread; its bytes are not counted. The last row is what the second takes longer than the first: no start of a process is in it.',
    head: ['image', 'openssl, one core', '`--workers 1`', 'share of one core', '`--workers 2`', 'gain of the second'],
    rows,
  };
}

/** @param sets a small one, then those that memory must not grow with */
export async function measureMemory(lab: Lab, sets: readonly [ImageSet, ...ImageSet[]]): Promise<Section> {
  const group = await memoryGroup(LIMIT_MIB * MIB);
  try {
    const peaks: Record<string, number[]> = {};
    for (const set of sets) {
      lab.say(`memory, ${set.text}`);
      const found = await peaksWith(lab, await addSite(lab, 'memory', set.images), set, group);
      for (const [name, peak] of Object.entries(found)) (peaks[name] ??= []).push(peak);
    }
    const limitOf = (small: number, i: number, of: ImageSet): number =>
      i === 0 || of.images.length > 1 ? LIMIT_MIB : Math.min(LIMIT_MIB, small * 1.1 + 15);
    const rows = Object.entries(peaks).map(([name, found]) => [
      name,
      ...sets.map((set, i) => ({ value: found[i] ?? NaN, limit: limitOf(found[0] ?? NaN, i, set), unit: ' MiB' })),
    ]);
    return {
      title: 'Memory',
      text: `Highest resident set of the process, the pages of the program itself included${group ? `, in a control group with a hard limit of ${LIMIT_MIB} MiB for all memory, page cache too: the kernel ends whoever goes beyond it.` : '.'} \`serve\` answers three clients at once. A larger layer may take 10 % and 15 MiB more.`,
      head: ['command', ...sets.map(({ text }) => text)],
      rows,
    };
  } finally {
    await group?.remove();
  }
}

async function peaksWith(
  lab: Lab,
  site: Site,
  set: ImageSet,
  group: MemoryGroup | undefined,
): Promise<Record<string, number>> {
  const peak = (args: readonly string[]): Promise<number> => peakOf(lab, site, args, group);
  await forget(site);
  const build = await peak(BUILD);
  const verify = await peak(['verify', site.media, '--key', site.publicKey, '--quiet']);
  const load = await withRegistry(lab, (registry) => peak(loadCommand(site, registry)));
  const serve = await servePeak(lab, site, set, group);
  await forget(site);
  return { build, verify, load, serve };
}

async function peakOf(lab: Lab, site: Site, args: readonly string[], group: MemoryGroup | undefined): Promise<number> {
  const report = join(site.folder, 'peak');
  const time = ['time', '--output', report, '--format', '%M', lab.program, ...args];
  await timed([...(group?.prefix ?? []), ...time], { cwd: site.folder, bare: true, env: privateFolders(site.folder) });
  return Number(await readFile(report, 'utf8')) / 1024;
}

async function servePeak(lab: Lab, site: Site, set: ImageSet, group: MemoryGroup | undefined): Promise<number> {
  const command = [lab.program, 'serve', site.media, '--key', site.publicKey, '--listen', '127.0.0.1:0'];
  const [program = '', ...args] = [...(group?.prefix ?? []), ...command];
  const logFile = join(site.folder, 'serve.log');
  await rm(logFile, { force: true });
  const env = privateFolders(site.folder);
  const daemon = startDaemon(program, args, { logFile, cwd: site.folder, bare: true, env });
  try {
    const [, url = ''] = await daemon.printed(/(http:\/\/127\.0\.0\.1:[0-9]+)/);
    const all = 'for url in "$@"; do curl --silent --fail --output /dev/null "$url"; done';
    const urls = layersOf(set).map(({ image, layer }) => `${url}/v2/${image.name}/blobs/${layer.digest}`);
    await Promise.all([1, 2, 3].map(() => run('sh', ['-ec', all, 'sh', ...urls])));
    return await peakOfTree(daemon.pid);
  } finally {
    await daemon.stop();
  }
}

export async function measureScratch(lab: Lab, set: ImageSet): Promise<Section> {
  const site = await builtSite(lab, set);
  process.env['ECK_AIRGAP'] = lab.program;
  const key = ['--key', site.publicKey];
  await onReadOnlyMachine(['inspect', site.media, ...key]);
  await onReadOnlyMachine(['verify', site.media, ...key]);
  await withRegistry(lab, (registry) => onReadOnlyMachine(loadCommand(site, registry)));
  await serveOnReadOnlyMachine(['serve', site.media, ...key], async (url) => {
    for (const { image, layer } of layersOf(set))
      await run('curl', [
        '--silent',
        '--fail',
        '--output',
        '/dev/null',
        `${url}/v2/${image.name}/blobs/${layer.digest}`,
      ]);
  });
  return {
    title: 'Scratch',
    text: 'Run where every file system is read-only, the media too, but for one of 16 MiB in memory: whoever writes more, or elsewhere, fails.',
    head: ['command', set.text],
    rows: ['inspect', 'verify', 'load', 'serve'].map((name) => [name, 'succeeds with 16 MiB']),
  };
}

export async function measureStart(lab: Lab): Promise<Section> {
  const { size } = await stat(lab.program);
  const home = join(lab.folder, 'home');
  const times: number[] = [];
  for (let i = 0; i < 5 * lab.runs; i++)
    times.push(1000 * (await timed([lab.program, '--version'], { bare: true, env: privateFolders(home) })));
  return {
    title: 'Start and size',
    text: `\`--version\`, from the start of the process to its end, median of ${times.length}.`,
    head: ['what', 'figure'],
    rows: [
      ['size of the program', { value: size / 1e6, limit: 120, unit: ' MB' }],
      ['`--version`', { value: spread(times).median, limit: 100, unit: ' ms' }],
    ],
  };
}

async function builtSite(lab: Lab, set: ImageSet): Promise<Site> {
  const site = await addSite(lab, set.name, set.images);
  await ours(lab, site, BUILD);
  return site;
}
