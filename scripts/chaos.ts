// `npm run test:chaos`: kills and mutations at scale. Whatever is killed goes on to the same digests; whatever is changed is
// refused; and a second reader, in Python, refuses what ours refuses. Usage: npm run test:chaos [-- --kills N] [--mutations N]
// [--differences N] [--quick] [--seed N] [--only-case N] [--only-difference N] [--program FILE] [--scratch FOLDER]
// With the full numbers it writes docs/chaos.md; the status is 1 when something does not hold.
import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, sourceCommit } from './bench/machine.ts';
import { commandLine, missed, renderPage, type Section } from './bench/report.ts';
import { haveTools } from '../test/support/tools.ts';
import { bundleProgram } from './build/bundle.ts';
import type { Sizes } from './chaos/images.ts';
import { tryDifferences } from './chaos/differences.ts';
import { tryKills } from './chaos/kills.ts';
import { tryMutations } from './chaos/mutations.ts';
import { wholeNumber } from './options.ts';
import { inScratch } from './scratch.ts';

const root = new URL('..', import.meta.url).pathname;
const PAGE = 'docs/chaos.md';
const FULL = { kills: 200, mutations: 10_000, differences: 20_000 };
const QUICK = { kills: 12, mutations: 700, differences: 500 };
/** MiB of layers: two that are uploaded in two chunks each, and one at once that images share. */
const SIZES = { large: 60, medium: 36, shared: 24 };
const QUICK_SIZES = { large: 40, medium: 8, shared: 2 };

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    mutations: { type: 'string' },
    differences: { type: 'string' },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    'only-case': { type: 'string' },
    'only-difference': { type: 'string' },
    program: { type: 'string' },
    scratch: { type: 'string', default: tmpdir() },
  },
});

type What = keyof typeof FULL;

async function main(): Promise<void> {
  const seed = numberOf('seed') ?? randomInt(2 ** 31);
  const counts = countsOf();
  const all = Object.keys(FULL) as What[];
  console.error([`--seed ${seed}`, ...all.map((what) => `--${what} ${counts[what]}`)].join(' '));
  const itself = !values.quick && values.program === undefined;
  const work = async (folder: string): Promise<void> => {
    const options = { folder, seed, say: (line: string) => console.error(line) };
    const sections: Section[] = [];
    if (counts.kills + counts.mutations > 0) sections.push(...(await tryProgram(options, counts, itself)));
    sections.push(...(await compareReaders(options, counts.differences)));
    await publish(sections, { seed, full: itself && all.every((what) => counts[what] >= FULL[what]) });
  };
  await inScratch(values.scratch, 'eck-airgap-chaos-', work, 'kept');
}

/** What there is to do: one case alone where one is named, what was asked for, or the usual. */
function countsOf(): Record<What, number> {
  const usual = values.quick ? QUICK : FULL;
  if (numberOf('only-case') !== undefined) return { kills: 0, mutations: 1, differences: 0 };
  if (numberOf('only-difference') !== undefined) return { kills: 0, mutations: 0, differences: 1 };
  const count = (what: What): number => numberOf(what) ?? usual[what];
  return { kills: count('kills'), mutations: count('mutations'), differences: count('differences') };
}

interface TrialOptions {
  readonly folder: string;
  readonly seed: number;
  readonly say: (line: string) => void;
}

async function tryProgram(
  trial: TrialOptions,
  { kills, mutations }: Record<What, number>,
  steps: boolean,
): Promise<Section[]> {
  const options = { ...trial, program: values.program === undefined ? await built() : resolve(values.program) };
  const sections: Section[] = [];
  // npm test has kills at named steps, too
  if (kills > 0) sections.push(...(await tryKills({ ...options, count: kills, sizes: sizesOf(), steps })));
  if (mutations > 0)
    sections.push(...(await tryMutations({ ...options, count: mutations, only: numberOf('only-case') })));
  return sections;
}

async function compareReaders(trial: TrialOptions, count: number): Promise<Section[]> {
  if (count === 0 || !haveTools('the second reader', 'python3', 'openssl')) return [];
  return tryDifferences({ ...trial, folder: join(trial.folder, 'readers'), count, only: numberOf('only-difference') });
}

function sizesOf(): Sizes {
  return values.quick ? QUICK_SIZES : SIZES;
}

async function built(): Promise<string> {
  const program = join(root, 'dist', 'eck-airgap.cjs');
  await bundleProgram(program);
  return program;
}

async function publish(sections: readonly Section[], { seed, full }: { seed: number; full: boolean }): Promise<void> {
  const command = commandLine('npm run test:chaos', process.argv.slice(2));
  const circumstances = [
    machine(),
    `source ${await sourceCommit(root)}, Node ${process.version}`,
    `seed ${seed}; layers of ${Object.values(sizesOf()).join(', ')} and 1 MiB, volumes of 32 MiB`,
  ];
  const page = renderPage({ title: 'Chaos', command, circumstances, sections });
  if (full) await writeFile(join(root, PAGE), page);
  console.log(page);
  for (const line of missed(sections)) {
    console.error(`does not hold: ${line}`);
    process.exitCode = 1;
  }
}

function numberOf(name: What | 'seed' | 'only-case' | 'only-difference'): number | undefined {
  return wholeNumber(`--${name}`, values[name]);
}

try {
  await main();
} catch (error) {
  console.error(error);
  process.exitCode = 2;
}
