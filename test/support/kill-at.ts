// A process of its own that runs one command line and kills itself (SIGKILL) the nth time it comes to a named step.
// Arguments: step, n, then the command line.
import { homedir } from 'node:os';
import { run } from '../../src/cli/run.ts';

const [step = '', nth = '1', ...argv] = process.argv.slice(2);
let left = Number(nth);

process.exitCode = await run(argv, {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  homeDir: homedir(),
  self: { pid: process.pid, isAlive: () => false },
  now: () => performance.now(),
  date: () => new Date(),
  signal: new AbortController().signal,
  observe: (event) => {
    if (event.type === 'step' && event.step === step && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
