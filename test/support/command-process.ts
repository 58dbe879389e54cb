// The command line in a process of its own: for what happens to a process, its streams and its signals.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Words that run the program of this tree. */
export const PROGRAM: readonly [string, string] = [process.execPath, MAIN];

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly cwd: string;
  readonly stdio?: StdioOptions;
  readonly env?: Readonly<Record<string, string>>;
  /** What still runs at the end of the test is killed; `caller`: where it is started outside one, and ended there. */
  readonly endedWith?: 'test' | 'caller';
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Cache and state where `cli()` has them. */
export function start(words: readonly string[], { cwd, stdio, env, endedWith = 'test' }: StartOptions): Started {
  const [program = '', ...args] = words;
  const child = spawn(program, args, {
    cwd,
    stdio: stdio ?? ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], XDG_CACHE_HOME: `${cwd}/.cache`, XDG_STATE_HOME: `${cwd}/.state`, ...env },
  });
  if (endedWith === 'test') onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr })),
  );
  return { child, ended };
}

export async function runProgram(argv: readonly string[], options: StartOptions): Promise<Ended> {
  return start([...PROGRAM, ...argv], options).ended;
}
