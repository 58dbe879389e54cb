// Other programs: run one to its end, or keep one running in the background. What runs in the background ends with the
// process that started it, whatever happens to that process.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface RunOptions {
  readonly cwd?: string | undefined;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Nothing of the environment of this process but PATH: who runs the tests has settings of his own. */
  readonly bare?: boolean | undefined;
  readonly input?: string | undefined;
  /** Answer a failure instead of throwing it. */
  readonly mayFail?: boolean | undefined;
}

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Debian keeps some of the programs where only root's PATH looks. */
export const toolEnvironment = { PATH: [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter) };

/** Runs a program to its end. @throws Error with the command line and what it said, unless `mayFail` */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(program, args, { cwd: options.cwd, env: environment(options), stdio: 'pipe' });
  const ended = exitOf(child, program);
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const status = await ended;
  const finished = { status, stdout: stdout(), stderr: stderr() };
  if (status !== 0 && options.mayFail !== true) throw new Error(failure([program, ...args], finished));
  return finished;
}

/** The standard output of a program that must succeed, without its last end of line. */
export async function output(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return (await run(program, args, options)).stdout.replace(/\n$/, '');
}

function failure(command: readonly string[], { status, stdout, stderr }: Finished): string {
  return `${command.join(' ')}\nended with ${status}\n${stdout.slice(-4000)}${stderr.slice(-4000)}`;
}

export interface Daemon {
  readonly pid: number;
  /** Everything it printed so far. */
  log(): Promise<string>;
  /** Waits until it printed something, by polling. @throws Error with the log when it ends first, or after 30 s, which ends it */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends it, by force after 10 s; answers its exit status. */
  stop(): Promise<number>;
}

export interface DaemonOptions extends Pick<RunOptions, 'cwd' | 'env' | 'bare'> {
  readonly logFile: string;
}

/** Starts a program that runs until it is stopped. */
export function startDaemon(program: string, args: readonly string[], options: DaemonOptions): Daemon {
  const log = openSync(options.logFile, 'a');
  const guarded = ['--pdeathsig', 'TERM', '--', program, ...args];
  const child = spawn('setpriv', guarded, {
    cwd: options.cwd,
    env: environment(options),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let status: number | undefined;
  const ended = exitOf(child, program).then((code) => (status = code));
  ended.catch(() => (status = -1));
  const readLog = (): Promise<string> => readFile(options.logFile, 'utf8');
  return {
    pid: child.pid ?? -1,
    log: readLog,
    printed: async (pattern) => {
      for (let waited = 0; waited < 30_000; waited += 50) {
        const ending = status;
        const found = pattern.exec(await readLog());
        if (found) return found;
        if (ending !== undefined) throw new Error(`${program} ended with ${ending}\n${await readLog()}`);
        await delay(50);
      }
      child.kill('SIGKILL'); // nobody has it to stop it
      throw new Error(`${program} did not print ${pattern.source} within 30 s\n${await readLog()}`);
    },
    stop: async () => {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
      return ended.finally(() => clearTimeout(force));
    },
  };
}

function environment({ env = {}, bare = false }: Pick<RunOptions, 'env' | 'bare'>): NodeJS.ProcessEnv {
  return { ...(bare ? {} : process.env), ...toolEnvironment, ...env };
}

function exitOf(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`cannot start ${program}: ${error.message}`)));
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
}

function gather(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}
