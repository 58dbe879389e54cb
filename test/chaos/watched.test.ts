import { expect, test } from 'vitest';
import { watched, type Kill } from '../../scripts/chaos/watched.ts';

const PATIENT = 'console.error("fetching"); setTimeout(() => undefined, 30_000)';
const QUICK = 'console.error("fetching"); console.log("result")';

function run(code: string, kill?: Kill): ReturnType<typeof watched> {
  const phases = { names: ['start', 'fetch'], printed: { fetch: /^fetching/m }, watch: () => () => undefined };
  return watched({ command: [process.execPath, '-e', code], cwd: '.', env: {}, phases }, kill);
}

test('a process is killed in the middle of a phase', async () => {
  const { killedAfter, status, durations } = await run(PATIENT, { phase: 'fetch', after: 20 });
  expect(killedAfter).toBeGreaterThan(15);
  expect(status).toBeUndefined();
  expect([...durations.keys()]).toEqual(['start']);
});

test('a process that has ended before is not killed, and its phases are known', async () => {
  const { killedAfter, status, durations, stdout } = await run(QUICK, { phase: 'fetch', after: 60_000 });
  expect([killedAfter, status, stdout]).toEqual([undefined, 0, 'result\n']);
  expect([...durations.keys()]).toEqual(['start', 'fetch']);
});

test('a process that is further already counts as not killed in time', async () => {
  const { killedAfter, status } = await run(PATIENT, { phase: 'start', after: 60_000 });
  expect([killedAfter, status]).toEqual([undefined, undefined]);
});

test('who is about to kill can look at a process that does nothing any more', async () => {
  let looked = 0;
  const phases = { names: ['start'], printed: {}, watch: () => () => undefined };
  const command = [process.execPath, '-e', PATIENT];
  const of = { command, cwd: '.', env: {}, phases, stopped: () => (looked += 1) };
  await watched(of, { phase: 'start', after: 0 });
  expect(looked).toBe(1);
});
