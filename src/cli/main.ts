// The process: arguments, streams, signals, exit status. Nothing else in the project touches them.
import { homedir } from 'node:os';
import { isSea } from 'node:sea';
import { isInstallerPlatform, type PackagedProgram } from '../core/program.ts';
import { fileOutput } from './file-output.ts';
import type { Io } from './io.ts';
import { run } from './run.ts';
import { interruptible } from './signals.ts';

/** Signal 0 asks only; a process of somebody else answers EPERM. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** An account that the system does not know, without HOME, has none: then it is the root, as in containers. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}

/** None when Node runs the program from a script. */
function packagedProgram(): PackagedProgram | undefined {
  const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  return isSea() && isInstallerPlatform(platform) ? { path: process.execPath, platform } : undefined;
}

const io: Io = {
  // opened when a command asks for them: that takes some milliseconds
  get stdin() {
    return process.stdin;
  },
  stdout: fileOutput(1) ?? process.stdout,
  get stderr() {
    return process.stderr;
  },
  env: process.env,
  cwd: process.cwd(),
  homeDir: homeFolder(),
  self: { pid: process.pid, isAlive },
  uid: process.getuid?.(),
  now: () => performance.now(),
  date: () => new Date(),
  program: packagedProgram(),
  signal: interruptible(),
};

// an event loop that runs dry before the command has ended is a failure, not a success
process.exitCode = 1;
void run(process.argv.slice(2), io).then((status) => {
  process.exitCode = status;
  // whatever did not end in order would keep the process
  if (io.signal.aborted) process.exit();
});
