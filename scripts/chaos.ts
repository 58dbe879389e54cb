// `npm run test:chaos`: kills and mutations at scale. Whatever is killed goes on to the same digests; whatever is changed is
// refused. Usage: npm run test:chaos [-- --kills N] [--mutations N] [--quick] [--seed N] [--only-case N] [--program FILE]
// [--scratch FOLDER]
// With the full numbers it writes docs/chaos.md; the status is 1 when something does not hold.
import { randomInt } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, sourceCommit } from './bench/machine.ts';
import { missed, renderPage, type Section } from './bench/report.ts';
import { bundleProgram } from './build/bundle.ts';
import type { Sizes } from './chaos/images.ts';
import { tryKills } from './chaos/kills.ts';
import { tryMutations } from './chaos/mutations.ts';

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
  const folder = await mkdtemp(join(values.scratch, 'eck-airgap-chaos-'));
  try {
    const program = values.program === undefined ? await built() : resolve(values.program);
    const options = { folder, program, seed, say: (line: string) => console.error(line) };
    const sections: Section[] = [];
    const steps = !values.quick && values.program === undefined; // npm test has them, too
    if (kills > 0) sections.push(...(await tryKills({ ...options, count: kills, sizes: sizesOf(), steps })));
    if (mutations > 0) sections.push(...(await tryMutations({ ...options, count: mutations, only })));
    await publish(sections, { seed, full: kills >= FULL.kills && mutations >= FULL.mutations });
  } finally {
    await tidy(folder);
  }
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
  const command = ['npm run test:chaos', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(
    ' ',
  );
  const circumstances = [
    await machine(),
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

/** Everything but what was kept of what went wrong. */
async function tidy(folder: string): Promise<void> {
  const names = await readdir(folder);
  for (const name of names) if (name !== 'kept') await rm(join(folder, name), { recursive: true, force: true });
  if (!names.includes('kept')) await rm(folder, { recursive: true });
}

/** @throws Error for what is no whole number */
function numberOf(name: 'kills' | 'mutations' | 'seed' | 'only-case'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (/^[0-9]{1,10}$/.test(text)) return Number(text);
  throw new Error(`--${name} ${text}: it takes a whole number`);
}

try {
  await main();
} catch (error) {
  console.error(error);
  process.exitCode = 2;
}
