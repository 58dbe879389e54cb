// A process of its own that runs one command line and kills itself (SIGKILL) the nth time it comes to a named step.
// Arguments: step, n, then the command line. With step "list" nothing is killed and the steps are printed.
import { homedir } from 'node:os';
import { run } from '../../src/cli/run.ts';

const [step = '', nth = '1', ...argv] = process.argv.slice(2);
let left = Number(nth);
const steps: string[] = [];

process.exitCode = await run(argv, {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  homeDir: homedir(),
  self: { pid: process.pid, isAlive: () => false },
  now: () => performance.now(),
  signal: new AbortController().signal,
  observe: (event) => {
    if (event.type !== 'step') return;
    steps.push(event.step);
    if (event.step === step && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
if (step === 'list') process.stdout.write(`\nSTEPS ${JSON.stringify(steps)}\n`);
