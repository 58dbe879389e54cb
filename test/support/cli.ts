// Runs the command line in this process, as a user would type it, with its streams captured.
import { Readable } from 'node:stream';
import { run } from '../../src/cli/run.ts';
import type { SpaceAt } from '../../src/core/disk-space.ts';
import type { PackagedProgram } from '../../src/core/program.ts';
import type { AirgapEvent } from '../../src/core/events.ts';
import { testIo } from './io.ts';

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** The time of day. */
  readonly date?: Date;
  readonly program?: PackagedProgram;
  /** What is free; the machine's own by default. */
  readonly space?: SpaceAt;
  readonly observe?: (event: AirgapEvent) => void;
}

export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly AirgapEvent[];
}

/** Cache and state live below `cwd`, so that a test leaves nothing behind elsewhere. */
export async function cli(argv: readonly string[], options: CliOptions): Promise<CliResult> {
  const events: AirgapEvent[] = [];
  const { io, stdout, stderr } = testIo({
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    env: { XDG_CACHE_HOME: `${options.cwd}/.cache`, XDG_STATE_HOME: `${options.cwd}/.state`, ...options.env },
    cwd: options.cwd,
    homeDir: options.cwd,
    self: { pid: process.pid, isAlive: () => false },
    now: () => performance.now(),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.date === undefined ? {} : { date: () => options.date ?? new Date(0) }),
    program: options.program,
    space: options.space,
    observe: (event) => {
      events.push(event);
      options.observe?.(event);
    },
  });
  const status = await run(argv, io);
  return { status, stdout: stdout(), stderr: stderr(), events };
}
