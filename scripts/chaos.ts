// `npm run test:chaos`: kills and mutations at scale. Whatever is killed goes on to the same digests; whatever is changed is
// refused. Usage: npm run test:chaos [-- --kills N] [--mutations N] [--quick] [--seed N] [--only-case N] [--program FILE]
// [--scratch FOLDER]
// With the full numbers it writes docs/chaos.md; the status is 1 when something does not hold.
import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, sourceCommit } from './bench/machine.ts';
import { commandLine, missed, renderPage, type Section } from './bench/report.ts';
import { bundleProgram } from './build/bundle.ts';
import type { Sizes } from './chaos/images.ts';
import { tryKills } from './chaos/kills.ts';
import { tryMutations } from './chaos/mutations.ts';
import { wholeNumber } from './options.ts';
import { inScratch } from './scratch.ts';

const root = new URL('..', import.meta.url).pathname;
const PAGE = 'docs/chaos.md';
const FULL = { kills: 200, mutations: 10_000 };
const QUICK = { kills: 12, mutations: 700 };
/** MiB of layers: two that are uploaded in two chunks each, and one at once that images share. */
const SIZES = { large: 60, medium: 36, shared: 24 };
const QUICK_SIZES = { large: 40, medium: 8, shared: 2 };

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    mutations: { type: 'string' },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    'only-case': { type: 'string' },
    program: { type: 'string' },
    scratch: { type: 'string', default: tmpdir() },
  },
});

async function main(): Promise<void> {
  const seed = numberOf('seed') ?? randomInt(2 ** 31);
  const only = numberOf('only-case');
  const usual = values.quick ? QUICK : FULL;
  const kills = only === undefined ? (numberOf('kills') ?? usual.kills) : 0;
  const mutations = only === undefined ? (numberOf('mutations') ?? usual.mutations) : 1;
  console.error(`--seed ${seed} --kills ${kills} --mutations ${mutations}`);
  const itself = !values.quick && values.program === undefined;
  const work = async (folder: string): Promise<void> => {
    const program = values.program === undefined ? await built() : resolve(values.program);
    const options = { folder, program, seed, say: (line: string) => console.error(line) };
    const sections: Section[] = [];
    // npm test has kills at named steps, too
    if (kills > 0) sections.push(...(await tryKills({ ...options, count: kills, sizes: sizesOf(), steps: itself })));
    if (mutations > 0) sections.push(...(await tryMutations({ ...options, count: mutations, only })));
    await publish(sections, { seed, full: itself && kills >= FULL.kills && mutations >= FULL.mutations });
  };
  await inScratch(values.scratch, 'eck-airgap-chaos-', work, 'kept');
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

function numberOf(name: 'kills' | 'mutations' | 'seed' | 'only-case'): number | undefined {
  return wholeNumber(`--${name}`, values[name]);
}

try {
  await main();
} catch (error) {
  console.error(error);
  process.exitCode = 2;
}
