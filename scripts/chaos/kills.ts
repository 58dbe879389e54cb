// Kills at scale: real processes get SIGKILL at even distances over the measured duration of each phase, and once at every named
// step. Each must go on to what a run that nothing disturbed gives.
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { cli } from '../../test/support/cli.ts';
import { killedAt } from '../../test/support/killed.ts';
import { seeded, type Seeded } from '../../test/support/seeded.ts';
import { MIB } from '../bench/image.ts';
import type { Section } from '../bench/report.ts';
import { commandOf } from '../interop/airgap.ts';
import { buildJob, referenceBuild } from './build-job.ts';
import type { Sizes } from './images.ts';
import { Durations, Histogram, shares } from './histogram.ts';
import { doneTwice, type Job } from './job.ts';
import { loadJob } from './load-job.ts';
import { foldersOf } from './program.ts';
import { killSections, type PhaseTally, type StepTally } from './kill-sections.ts';
import { openSite, type Site } from './site.ts';
import { watched, type Kill, type Watched } from './watched.ts';

export interface KillOptions {
  /** To work in. What is kept of kills that went wrong lies in it, too. */
  readonly folder: string;
  readonly program: string;
  readonly seed: number;
  readonly count: number;
  readonly sizes: Sizes;
  /** Whether there is a kill at every named step, too; for a program that is the source. */
  readonly steps: boolean;
  readonly say: (line: string) => void;
}

/** Runs that nothing disturbs, before the first kill. */
const UNDISTURBED = 3;
/** A kill that comes too late is tried again so often. */
const TRIES = 30;

/** Says of each kill that went wrong where it is kept. */
export async function tryKills(options: KillOptions): Promise<Section[]> {
  const site = await openSite(options.folder, options.program, options.sizes);
  try {
    const built = await referenceBuild(site);
    const build = await buildJob(site, built, { locked: true });
    const load = await loadJob(site, built);
    const killing = new Killing(site, options);
    const [builds = 0, loads = 0] = shares(options.count, 2);
    await killing.overPhases(build, builds);
    await killing.overPhases(load, loads);
    // from nothing: the lock is written, too
    const fromNothing = await buildJob(site, built, { locked: false });
    if (options.steps) for (const job of [fromNothing, load]) await killing.atSteps(job);
    return killSections(killing);
  } finally {
    await site.close();
  }
}

class Killing {
  readonly #site: Site;
  readonly #options: KillOptions;
  readonly #random: Seeded;
  readonly phases: PhaseTally[] = [];
  readonly steps: StepTally[] = [];
  readonly histogram = new Histogram();
  #number = 0;

  constructor(site: Site, options: KillOptions) {
    this.#site = site;
    this.#options = options;
    this.#random = seeded(options.seed, 1);
  }

  /** @param count kills, shared out evenly to the phases */
  async overPhases(job: Job, count: number): Promise<void> {
    const durations = new Durations();
    const { names } = job.phases;
    for (let i = 0; i < UNDISTURBED; i++) await this.#run(job, await job.begin(), durations);
    for (const [i, own] of shares(count, names.length).entries()) {
      const phase = names[i] ?? '';
      const tally: PhaseTally = { job: job.name, phase, kills: own, late: 0, equal: 0, twice: 0, limit: job.limit };
      this.phases.push(tally);
      for (let kill = 0; kill < own; kill++)
        await this.#killInPhase(job, tally, { durations, share: (kill + this.#random.below(1000) / 1000) / own });
      tally.milliseconds = durations.all(phase);
      this.#options.say(`${job.name}, ${phase}: ${tally.equal} of ${own} went on to the same digests`);
    }
  }

  /** Once at each step that an undisturbed run reports, in the middle of how often it comes. */
  async atSteps(job: Job): Promise<void> {
    const { events, status } = await cli(job.argv, { cwd: await job.begin() });
    if (status !== 0) throw new Error(`${job.name} from source ended with ${status}`);
    const counts = new Map<string, number>();
    for (const event of events) if (event.type === 'step') counts.set(event.step, (counts.get(event.step) ?? 0) + 1);
    for (const [step, count] of counts) {
      const folder = await job.begin();
      const nth = Math.ceil(count / 2);
      const killed = await killedAt(step, nth, { cwd: folder, argv: job.argv });
      const faults = killed ? await this.#goOn(job, folder) : [`no step ${step} came`];
      const where = `${job.name} at ${step} (${nth} of ${count})`;
      this.steps.push({ job: job.name, step, equal: faults.length === 0 });
      await this.#tell(where, folder, faults);
    }
  }

  async #killInPhase(
    job: Job,
    tally: PhaseTally,
    { durations, share }: { durations: Durations; share: number },
  ): Promise<void> {
    const { phase } = tally;
    for (let tries = 0; tries < TRIES; tries++) {
      await this.#settled(); // one that came too late may have left requests
      const folder = await job.begin();
      const usual = durations.of(phase);
      const run = await this.#run(job, folder, durations, { phase, after: share * usual });
      if (run.killedAfter === undefined) {
        tally.late++;
        continue;
      }
      this.histogram.landed(`${job.name}: ${phase}`, run.killedAfter / usual);
      const faults = await this.#goOn(job, folder, tally);
      if (faults.length === 0) tally.equal++;
      const where = `${job.name}, ${phase}, killed after ${Math.round(run.killedAfter)} ms of about ${Math.round(usual)}`;
      return this.#tell(where, folder, faults);
    }
    this.#options.say(`${job.name}, ${phase}: was over before each of ${TRIES} kills`);
  }

  /** After a kill: what was left, the same command again, and what came of it. */
  async #goOn(job: Job, folder: string, tally?: PhaseTally): Promise<string[]> {
    await this.#settled();
    const faults = (await job.afterKill(folder)).map((fault) => `after the kill: ${fault}`);
    const again = await this.#run(job, folder);
    await this.#settled();
    if (again.status !== 0) return [...faults, `ended with ${String(again.status)}: ${again.stderr}`];
    faults.push(...(await job.afterResume(folder)));
    if (tally === undefined) return faults; // nobody could look at the sockets of a process that killed itself
    for (const [digest, bytes] of doneTwice(job.transferred(), this.#site.content)) {
      tally.twice = Math.max(tally.twice, bytes);
      if (bytes > job.limit) faults.push(`${(bytes / MIB).toFixed(2)} MiB of ${digest} went twice`);
    }
    return faults;
  }

  async #run(job: Job, folder: string, durations?: Durations, kill?: Kill): Promise<Watched> {
    const command = [...commandOf(this.#site.program), ...job.argv];
    const env = { PATH: process.env['PATH'], ...foldersOf(folder) };
    const { phases, stopped } = job;
    const run = await watched({ command, cwd: folder, env, phases, stopped }, kill);
    for (const [phase, milliseconds] of run.durations) durations?.see(phase, milliseconds);
    return run;
  }

  async #settled(): Promise<void> {
    await Promise.all([this.#site.upstream.settled(), this.#site.enclave.settled()]);
  }

  async #tell(where: string, folder: string, faults: readonly string[]): Promise<void> {
    const number = ++this.#number;
    if (faults.length === 0) return;
    const kept = join(this.#options.folder, 'kept', `kill-${number}`);
    await cp(folder, kept, { recursive: true });
    this.#options.say([`kill ${number}: ${where}:`, ...faults, `what it left is kept in ${kept}`].join('\n  '));
  }
}
