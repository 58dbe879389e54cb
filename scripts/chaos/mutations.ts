// Mutations at scale: a small bundle is changed in thousands of ways, and each must be refused. Shared out to as many processes
// as there are cores.
import { fork } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { smallBundle } from '../../test/support/small-bundle.ts';
import type { Goal, Section } from '../bench/report.ts';
import { KEY, type Outcome } from './attempt.ts';
import type { Message, Part } from './mutation-worker.ts';
import { regionOf, REGIONS, type MutatedRegion } from './mutation.ts';
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
const LIMIT_MIB = 200;
const LAYER_SIZE = 3000;

/** Of a run: what came of each case here and, for a sample, in a process of its own. */
interface Results {
  readonly outcomes: Outcome[];
  readonly inProcess: Outcome[];
  /** Of each process, in MiB. */
  readonly peaks: number[];
  /** Processes that ended before they were done. */
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
  const expected = Array.from({ length: to - first }, (_, i) => regionOf(first + i));
  return sections(results, { expected, size });
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

function work(part: Part, results: Results, { say, seed }: MutationOptions): Promise<void> {
  const env = { ...process.env, ...foldersOf(part.tree) };
  const child = fork(WORKER, [JSON.stringify(part)], { env });
  let next = part.from;
  child.on('message', (message: Message) => {
    if (message.type === 'peak') results.peaks.push(message.mebibytes);
    else {
      const { outcome, inProcess } = message;
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
    `  the media are kept in ${join(kept, `case-${number}`)}`,
  ].join('\n');
}

function sections(
  results: Results,
  { expected, size }: { expected: readonly MutatedRegion[]; size: number },
): Section[] {
  const { outcomes, inProcess, peaks, crashes } = results;
  const row = (name: string, own: readonly Outcome[], of: number): (string | Goal)[] => [
    name,
    ...[3, 4].map((status) => `${own.filter((outcome) => outcome.status === status).length}`),
    { value: own.filter(({ faults }) => faults.length === 0).length, limit: of, exactly: true, unit: '' },
  ];
  return [
    {
      title: 'Mutations',
      text: `A signed bundle of ${size} bytes is changed, each time in another way, and put before the command line: half of the cases before \`verify\`, the others by turns before \`inspect --key\`, \`load --dry-run\`, \`serve\` and \`export\` where opening must refuse already. Refused means: exit 3 or 4, one error of the catalogue and nothing else on stderr, nothing on stdout, and of all files around (media, home, temporary folder, cache, state) none made, changed or removed.`,
      head: ['region', 'exit 3', 'exit 4', 'refused'],
      rows: [
        ...REGIONS.map((region) =>
          row(
            region,
            outcomes.filter((outcome) => outcome.region === region),
            expected.filter((other) => other === region).length,
          ),
        ),
        row('all', outcomes, expected.length),
        row('a sample of them, in a process of its own', inProcess, inProcess.length),
      ],
    },
    {
      title: 'What was done to the bundles',
      text: 'Half of the changes know nothing of the format; the others keep up what a reader might look at (sizes, checksums, chunk hashes, order) and change something else.',
      head: ['region', 'change', 'cases'],
      rows: REGIONS.flatMap((region) =>
        counted(outcomes.filter((outcome) => outcome.region === region)).map(([what, count]) => [region, what, count]),
      ),
    },
    {
      title: 'The processes that refuse',
      text: `${peaks.length + crashes.length} processes worked through the cases, one after another each.`,
      head: ['what', 'figure'],
      rows: [
        ['crashes', { value: crashes.length, limit: 0, unit: '' }],
        ['highest resident set', { value: Math.max(...peaks), limit: LIMIT_MIB, unit: ' MiB' }],
      ],
    },
  ];
}

function counted(outcomes: readonly Outcome[]): [what: string, count: string][] {
  const counts = new Map<string, number>();
  for (const { what } of outcomes) counts.set(what, (counts.get(what) ?? 0) + 1);
  return [...counts].sort().map(([what, count]) => [what, `${count}`]);
}
