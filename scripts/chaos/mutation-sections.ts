// What came of the mutations, as sections of the page.
import type { Goal, Section } from '../bench/report.ts';
import type { Outcome } from './attempt.ts';
import { edits } from './edits.ts';
import { REGIONS, type MutatedRegion } from './mutation.ts';

export interface MutationResults {
  /** Of each case, in the process that made it. */
  readonly outcomes: readonly Outcome[];
  /** Of a sample, in a process of its own. */
  readonly inProcess: readonly Outcome[];
  /** Highest resident set of each process, in MiB. */
  readonly peaks: readonly number[];
  /** Processes that ended before they were done. */
  readonly crashes: readonly string[];
}

/** What there was to do. */
export interface Due {
  /** Bytes of the bundle. */
  readonly size: number;
  /** Region of each case. */
  readonly cases: readonly MutatedRegion[];
  readonly sampled: number;
}

const LIMIT_MIB = 200;

export function mutationSections(results: MutationResults, due: Due): Section[] {
  return [refusals(results, due), changes(results), processes(results)];
}

function refusals({ outcomes, inProcess }: MutationResults, { size, cases, sampled }: Due): Section {
  const row = (name: string, own: readonly Outcome[], of: number): (string | Goal)[] => [
    name,
    ...[3, 4].map((status) => `${own.filter((outcome) => outcome.status === status).length}`),
    { value: own.filter(({ faults }) => faults.length === 0).length, limit: of, exactly: true, unit: '' },
  ];
  const commands = counted(outcomes.map(({ command }) => command));
  return {
    title: 'Mutations',
    text: `A signed bundle of ${size} bytes is changed, by lot, and put before the command line: ${commands}. What opening must refuse already is put before all of them by turns, what lies in a blob before \`verify\`; \`inspect\` has the key, and \`load\` is a dry run. Refused means: exit 3 or 4, one error of the catalogue and nothing else on stderr, nothing on stdout, and of all files around (media, home, temporary folder, cache, state) none made, changed or removed.`,
    head: ['region', 'exit 3', 'exit 4', 'refused'],
    rows: [
      ...REGIONS.map((region) => row(region, ofRegion(outcomes, region), cases.filter((one) => one === region).length)),
      row('all', outcomes, cases.length),
      row('a sample of them, in a process of its own', inProcess, sampled),
    ],
  };
}

function changes({ outcomes }: MutationResults): Section {
  const simple = (outcome: Outcome): boolean => Object.hasOwn(edits, outcome.what);
  return {
    title: 'What was done to the bundles',
    text: 'The simple changes know nothing of the format; the others keep up what a reader might look at (sizes, checksums, chunk hashes, order) and change something else.',
    head: ['region', 'simple', 'knowing the format'],
    rows: REGIONS.map((region) => {
      const own = ofRegion(outcomes, region);
      const what = (outcomes: readonly Outcome[]): string => counted(outcomes.map((outcome) => outcome.what));
      return [region, what(own.filter(simple)), what(own.filter((outcome) => !simple(outcome)))];
    }),
  };
}

function processes({ peaks, crashes }: MutationResults): Section {
  return {
    title: 'The processes that refuse',
    text: `${peaks.length + crashes.length} processes worked through the cases, each through one after another.`,
    head: ['what', 'figure'],
    rows: [
      ['crashes', { value: crashes.length, limit: 0, unit: '' }],
      ['highest resident set', { value: Math.max(...peaks), limit: LIMIT_MIB, unit: ' MiB' }],
    ],
  };
}

function ofRegion(outcomes: readonly Outcome[], region: MutatedRegion): Outcome[] {
  return outcomes.filter((outcome) => outcome.region === region);
}

/** `3 × one thing; 5 × another`. */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort()
    .map(([name, count]) => `${count} × ${name}`)
    .join('; ');
}
