// How long a command takes from its start to its end: the median of 25 runs, with the fastest and the slowest.
// Usage: start-time.ts PROGRAM ARGUMENT…
import { spawnSync } from 'node:child_process';
import { spread } from './bench/stats.ts';

const RUNS = 25;
const [program = '', ...args] = process.argv.slice(2);

const times = Array.from({ length: RUNS }, () => {
  const began = performance.now();
  const { status, error } = spawnSync(program, args, { stdio: 'ignore' });
  if (status !== 0) throw error ?? new Error(`${program} ended with ${String(status)}`);
  return performance.now() - began;
});

const { median, from, to } = spread(times);
const [middle, least, most] = [median, from, to].map((time) => `${Math.round(time)} ms`);
console.log(`${program} ${args.join(' ')}: median ${middle}, from ${least} to ${most}`);
