// Mutations at scale: a small bundle is changed in thousands of ways, and each must be refused. Shared out to as many processes
// as there are cores.
import { fork } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { smallBundle } from '../../test/support/small-bundle.ts';
import type { Section } from '../bench/report.ts';
import { KEY, type Outcome } from './attempt.ts';
import type { Message, Part } from './mutation-worker.ts';
import { mutationSections, type MutationResults } from './mutation-sections.ts';
import { regionOf } from './mutation.ts';
import { foldersOf } from './program.ts';

export interface MutationOptions {
  /** To work in. What is kept of attempts that went wrong lies in it, too. */
  readonly folder: string;
  readonly program: string;
  readonly seed: number;
  readonly count: number;
  /** One case alone, by its number. */
  readonly only?: number | undefined;
  readonly say: (line: string) => void;
}

const WORKER = new URL('./mutation-worker.ts', import.meta.url).pathname;
const SAMPLE = 100;
const LAYER_SIZE = 3000;

interface Results extends MutationResults {
  readonly outcomes: Outcome[];
  readonly inProcess: Outcome[];
  readonly peaks: number[];
  readonly crashes: string[];
}

/** Says of each attempt that went wrong how to see it again. */
export async function tryMutations(options: MutationOptions): Promise<Section[]> {
  const { only } = options;
  const subject = join(options.folder, 'subject');
  const size = await makeSubject(subject);
  const workers = only === undefined ? availableParallelism() : 1;
  const [first, to] = only === undefined ? [0, options.count] : [only, only + 1];
  const results: Results = { outcomes: [], inProcess: [], peaks: [], crashes: [] };
  await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const { folder, program, seed } = options;
      const part: Part = {
        ...{ subject, program, seed, to, step: workers, from: first + i },
        tree: join(folder, `tree-${i}`),
        kept: join(folder, 'kept'),
        sample: only === undefined ? SAMPLE : 1,
      };
      return work(part, results, options);
    }),
  );
  const numbers = Array.from({ length: to - first }, (_, i) => first + i);
  const sampled = only === undefined ? numbers.filter((number) => number % SAMPLE === 0) : numbers;
  return mutationSections(results, { size, cases: numbers.map(regionOf), sampled: sampled.length });
}

/** Bytes of the bundle. */
async function makeSubject(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const keys = generateKeyPair();
  const [bundle, other] = await Promise.all(
    ['one', 'another'].map((seed) => smallBundle(seed, { ...keys, layerSize: LAYER_SIZE })),
  );
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  await writeFile(join(folder, 'site.tar'), bundle?.bytes ?? '');
  await writeFile(join(folder, 'other.tar'), other?.bytes ?? '');
  await writeFile(join(folder, KEY), keys.publicPem);
  await writeFile(join(folder, 'forger.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return bundle?.bytes.byteLength ?? 0;
}

function work(part: Part, results: Results, { say, seed, only }: MutationOptions): Promise<void> {
  const env = { ...process.env, ...foldersOf(part.tree) };
  const child = fork(WORKER, [JSON.stringify(part)], { env });
  let next = part.from;
  child.on('message', (message: Message) => {
    if (message.type === 'peak') results.peaks.push(message.mebibytes);
    else {
      const { outcome, inProcess } = message;
      if (only !== undefined) say(`${outcome.command}, ${outcome.region}, ${outcome.what}: exit ${outcome.status}`);
      (inProcess ? results.inProcess : results.outcomes).push(outcome);
      next = outcome.number + part.step;
      const done = results.outcomes.length;
      if (!inProcess && done % 1000 === 0) say(`${done} mutations`);
      if (outcome.faults.length > 0) say(faultText(outcome, { seed, kept: part.kept }));
    }
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code !== 0) {
        const crash = `the process ended with ${String(code ?? signal)} at case ${next}: --seed ${seed} --only-case ${next}`;
        results.crashes.push(crash);
        say(crash);
      }
      resolve();
    });
  });
}

function faultText(outcome: Outcome, { seed, kept }: { seed: number; kept: string }): string {
  const { number, region, what, command, faults } = outcome;
  return [
    `case ${number}: ${command}, ${region}, ${what}: ${faults.join('; ')}`,
    `  again: npm run test:chaos -- --seed ${seed} --only-case ${number}`,
    `  what it left is kept in ${join(kept, `case-${number}`)}`,
  ].join('\n');
}
