// A control group with a hard limit of memory, page cache included, where this machine lets us make one (root, cgroup v1 or v2).
import { access, mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface MemoryGroup {
  /** What a command begins with to run in the group. */
  readonly prefix: readonly string[];
  remove(): Promise<void>;
}

const SHAPES = [
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
  { root: '/sys/fs/cgroup', limit: 'memory.max' },
] as const;

/** Undefined where there is no memory controller that can be written. */
export async function memoryGroup(bytes: number): Promise<MemoryGroup | undefined> {
  for (const { root, limit } of SHAPES) {
    const folder = join(root, `eck-airgap-bench-${process.pid}`);
    try {
      await mkdir(folder);
    } catch {
      continue;
    }
    try {
      await access(join(folder, limit));
      await writeFile(join(folder, limit), String(bytes));
      return {
        prefix: ['sh', '-c', `echo $$ > ${join(folder, 'cgroup.procs')} && exec "$@"`, 'sh'],
        remove: () => rmdir(folder),
      };
    } catch {
      await rmdir(folder);
    }
  }
  return undefined;
}
