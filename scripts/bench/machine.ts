// What figures were measured on: no name, no path.
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { output } from '../interop/process.ts';

/** Processor, memory and kernel, in one sentence. */
export function machine(): string {
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${memory} GiB, ${type()} ${release()}`;
}

/** Of the source in `root`, and whether it was changed since. */
export async function sourceCommit(root: string): Promise<string> {
  return output('git', ['-C', root, 'describe', '--always', '--dirty']);
}
