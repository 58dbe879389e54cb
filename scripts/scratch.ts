// A folder for as long as a script needs it.
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a task with a new folder, which is removed afterwards, whether it succeeds, fails, or a signal ends the process.
 * @param keep what of the folder stays, and the folder with it, where it is there
 */
export async function inScratch<T>(
  parent: string,
  prefix: string,
  task: (folder: string) => Promise<T>,
  keep?: string,
): Promise<T> {
  const folder = await mkdtemp(join(parent, prefix));
  const onSignal = (signal: (typeof SIGNALS)[number]): never => {
    tidy(folder, keep);
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.once(signal, onSignal);
  try {
    return await task(folder);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    tidy(folder, keep);
  }
}

function tidy(folder: string, keep: string | undefined): void {
  const names = readdirSync(folder);
  for (const name of names) if (name !== keep) rmSync(join(folder, name), { recursive: true, force: true });
  if (keep === undefined || !names.includes(keep)) rmdirSync(folder);
}
