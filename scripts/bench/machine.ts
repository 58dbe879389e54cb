// What figures were measured on: no name, no path.
import { readFile } from 'node:fs/promises';
import { output } from '../interop/process.ts';

/** Processor, memory and kernel, in one sentence. */
export async function machine(): Promise<string> {
  const cpu = /^model name\s*: (.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown processor';
  const memory = Number(/^MemTotal:\s+([0-9]+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1] ?? 0);
  const [cores, kernel] = [await output('nproc', []), await output('uname', ['-sr'])];
  return `${cpu}, ${cores} cores, ${Math.round(memory / 1024 / 1024)} GiB, ${kernel}`;
}

/** Of the source in `root`, and whether it was changed since. */
export async function sourceCommit(root: string): Promise<string> {
  return output('git', ['-C', root, 'describe', '--always', '--dirty']);
}
