// What came of the kills, as sections of the page.
import { MIB } from '../bench/image.ts';
import type { Goal, Section } from '../bench/report.ts';
import { spread } from '../bench/stats.ts';
import type { Row } from './histogram.ts';

export interface PhaseTally {
  readonly job: string;
  readonly phase: string;
  /** That must land in it. */
  readonly kills: number;
  /** That came too late, and were repeated. */
  late: number;
  /** Runs that went on to the same digests, with nothing amiss on the way. */
  equal: number;
  /** The most bytes of one transfer that went twice, and how many may. */
  twice: number;
  readonly limit: number;
  /** Milliseconds, each time it was seen from its beginning to its end. */
  milliseconds?: readonly number[];
}

export interface StepTally {
  readonly job: string;
  readonly step: string;
  readonly equal: boolean;
}

export interface Tallies {
  readonly phases: readonly PhaseTally[];
  readonly steps: readonly StepTally[];
  readonly histogram: { rows(): Row[] };
}

export function killSections({ phases, steps, histogram }: Tallies): Section[] {
  return [killed(phases), landed(histogram.rows()), ...(steps.length > 0 ? [atSteps(steps)] : [])];
}

function killed(phases: readonly PhaseTally[]): Section {
  const sum = (of: (tally: PhaseTally) => number): number => phases.reduce((total, tally) => total + of(tally), 0);
  return {
    title: 'Kills',
    text: 'The program gets SIGKILL in the middle of a phase, as far into it as the phase was measured to last; then the same command runs again, to its end. After the kill, each file with a final name must be the one that a run gives which nothing disturbed, a bundle that looks complete must verify, and each tag in the registry must name what is all there. After the run that went on, everything must be that of the undisturbed run, byte for byte (media folder, lock, receipt, every tag and all below it), and no unfinished file may be left. What went twice is what the registry sent, or got, beyond the size of one blob in both runs together, less what a killed client had not yet taken off its sockets. Both registries are our own server on loopback, slowed down by a millisecond every 256 KiB, 5 ms a question and 30 ms a manifest.',
    head: [
      'command',
      'phase',
      'it lasts',
      'went on to equal digests',
      'of one transfer twice, at most',
      'too late, repeated',
    ],
    rows: [
      ...phases.map(({ job, phase, milliseconds = [], equal, kills, twice, limit, late }) => [
        job,
        phase,
        duration(milliseconds),
        { value: equal, limit: kills, exactly: true as const, unit: '' },
        { value: twice / MIB, limit: limit / MIB, unit: ' MiB' },
        `${late}`,
      ]),
      [
        'all',
        '',
        '',
        { value: sum(({ equal }) => equal), limit: sum(({ kills }) => kills), exactly: true as const, unit: '' },
        '',
        `${sum(({ late }) => late)}`,
      ],
    ],
  };
}

function landed(rows: readonly Row[]): Section {
  const tenths = Array.from({ length: 10 }, (_, i) => `${i * 10} %`);
  return {
    title: 'Where the kills landed',
    text: 'Kills in each tenth of the phase, by the median of how long it lasted lately. A phase that goes on for longer than usual is in its last tenth.',
    head: ['phase', ...tenths],
    rows: rows.map((row) => [row.phase, ...row.tenths.map((count) => (count === 0 ? '·' : `${count}`))]),
  };
}

function atSteps(steps: readonly StepTally[]): Section {
  const jobs = [...new Set(steps.map(({ job }) => job))];
  const counted = (own: readonly StepTally[]): Goal => ({
    value: own.filter(({ equal }) => equal).length,
    limit: own.length,
    exactly: true,
    unit: '',
  });
  return {
    title: 'Kills at named steps',
    text: 'Where a crash must be survived the program says so to itself; a process that runs it from source kills itself there. The same must hold, but for what went twice: nobody can look at the sockets of a process that kills itself.',
    head: ['command', 'steps', 'went on to equal digests'],
    rows: jobs.map((job) => {
      const own = steps.filter((step) => step.job === job);
      return [job, own.map(({ step }) => `\`${step}\``).join(' '), counted(own)];
    }),
  };
}

function duration(milliseconds: readonly number[]): string {
  if (milliseconds.length === 0) return '';
  const { median, from, to } = spread(milliseconds);
  return `${Math.round(median)} ms (${Math.round(from)}–${Math.round(to)})`;
}
