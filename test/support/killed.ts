// Runs a command line in a process of its own that kills itself (SIGKILL) at a named step.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./kill-at.ts', import.meta.url));

export interface KillOptions {
  readonly cwd: string;
  readonly argv: readonly string[];
}

/** Answers whether it was killed: false when it ended before it came to the step. */
export function killedAt(step: string, nth: number, options: KillOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [SCRIPT, step, String(nth), ...options.argv],
      // a process that hangs gets another signal than the one it gives itself
      { cwd: options.cwd, env: environment(options.cwd), timeout: 60_000, killSignal: 'SIGTERM' },
      (error, _stdout, stderr) => {
        if (error?.signal === 'SIGKILL') resolve(true);
        else if (error) reject(new Error(`ended with ${String(error.code)}: ${stderr}`));
        else resolve(false);
      },
    );
  });
}

/** Cache and state where `cli()` has them. */
function environment(cwd: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], XDG_CACHE_HOME: `${cwd}/.cache`, XDG_STATE_HOME: `${cwd}/.state` };
}
