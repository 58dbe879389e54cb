// A command in a process of its own, seen from outside: when each of its phases begins, and SIGKILL in the middle of one.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a command can be seen doing, in its order. */
export interface Phases {
  readonly names: readonly string[];
  /** Begins to look; `enter` is to be called with a name when its phase begins. Answers how to stop looking. */
  watch(enter: (phase: string) => void): () => void;
  /** The phase that begins when this is printed to stderr. */
  readonly printed: Readonly<Record<string, RegExp>>;
}

export interface Kill {
  readonly phase: string;
  /** Milliseconds after the phase began. */
  readonly after: number;
}

export interface Watched {
  /** Milliseconds of each phase that was seen from its beginning to its end. */
  readonly durations: ReadonlyMap<string, number>;
  /** Milliseconds into the phase when it was killed; undefined when the phase was over before, or never came. */
  readonly killedAfter: number | undefined;
  /** Undefined when it was killed. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WatchedCommand {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly phases: Phases;
  /** Called when the process that is about to be killed does nothing any more. */
  readonly stopped?: (() => void) | undefined;
}

/** Nothing that is sane takes as long: milliseconds. */
const PATIENCE = 300_000;

/** Runs a command to its end, or kills it. A process whose phase was over is killed as well, and counts as not killed in time. */
export async function watched(of: WatchedCommand, kill?: Kill): Promise<Watched> {
  const { command, cwd, env, phases } = of;
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const course = new Course(phases.names);
  let killedAfter: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const strike = (): void => {
    const elapsed = course.inPhase(kill?.phase ?? '');
    freeze(child.pid);
    of.stopped?.();
    if (child.kill('SIGKILL')) killedAfter = elapsed;
  };
  const enter = (phase: string): void => {
    if (!course.enter(phase) || kill === undefined) return;
    if (phase === kill.phase) timer = setTimeout(strike, kill.after);
    else if (course.isBeyond(kill.phase)) child.kill('SIGKILL');
  };
  const stop = phases.watch(enter);
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  child.stderr.on('data', () => {
    for (const [phase, pattern] of Object.entries(phases.printed)) if (pattern.test(stderr())) enter(phase);
  });
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  enter(phases.names[0] ?? '');
  try {
    const { code, signal } = await ended(child);
    if (signal === null) course.end();
    const killed = signal === 'SIGKILL' ? killedAfter : undefined;
    const status = signal === null ? (code ?? -1) : undefined;
    return { durations: course.durations, killedAfter: killed, status, stdout: stdout(), stderr: stderr() };
  } finally {
    stop();
    clearTimeout(timer);
    clearTimeout(patience);
  }
}

/** Stops a process, for what is looked at before it is killed; it does nothing in between. */
function freeze(pid = 0): void {
  try {
    process.kill(pid, 'SIGSTOP');
    const isRunning = (): boolean => /\) [RSD] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    for (const until = performance.now() + 100; isRunning() && performance.now() < until;);
  } catch {
    // it has ended
  }
}

/** Where a process is in its phases, and how long each took. */
class Course {
  readonly #names: readonly string[];
  #current = -1;
  #since = 0;
  readonly durations = new Map<string, number>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** False when that phase has begun before. */
  enter(phase: string): boolean {
    const index = this.#names.indexOf(phase);
    if (index <= this.#current) return false;
    this.end();
    this.#current = index;
    return true;
  }

  end(): void {
    const now = performance.now();
    const name = this.#names[this.#current];
    if (name !== undefined) this.durations.set(name, now - this.#since);
    this.#since = now;
  }

  isBeyond(phase: string): boolean {
    return this.#current > this.#names.indexOf(phase);
  }

  /** Milliseconds since it began; undefined when another one is under way. */
  inPhase(phase: string): number | undefined {
    return this.#names[this.#current] === phase ? performance.now() - this.#since : undefined;
  }
}

function ended(child: ReturnType<typeof spawn>): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return () => text;
}
