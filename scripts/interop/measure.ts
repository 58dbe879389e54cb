// What a command costs: its peak memory, and whether it manages with 16 MiB of a file system and nothing else to write to.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { airgapCommand, privateFolders } from './airgap.ts';
import { run, startDaemon, type Finished } from './process.ts';

export interface Measured extends Finished {
  /** Highest resident set of any one process of the command, in MiB. */
  readonly peakMiB: number;
}

/** Runs one command under GNU time. @throws Error when it fails */
export async function measured(folder: string, args: readonly string[]): Promise<Measured> {
  const work = await mkdtemp(join(tmpdir(), 'eck-airgap-measure-'));
  try {
    const report = join(work, 'peak');
    const time = ['--output', report, '--format', '%M'];
    const options = { cwd: folder, bare: true, env: privateFolders(folder) };
    const finished = await run('time', [...time, ...airgapCommand(), ...args], options);
    return { ...finished, peakMiB: Number(await readFile(report, 'utf8')) / 1024 };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Highest resident set so far of a process or any of its descendants, in MiB. */
export async function peakOfTree(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const own = Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))
    .split(' ')
    .filter((word) => word !== '');
  const below = await Promise.all(children.map((child) => peakOfTree(Number(child))));
  return Math.max(own, ...below);
}

/**
 * Runs one command where every file system is read-only but for a new one of 16 MiB in memory, which is its current, home
 * and temporary folder. Writing anywhere else, or more than that, fails. Needs root.
 * @throws Error when it fails
 */
export async function onReadOnlyMachine(args: readonly string[]): Promise<Finished> {
  return withReadOnlyMachine(args, ({ command, env }) => run('unshare', command, { bare: true, env }));
}

/** The same for `serve`, until `visit` has done with it; it is given the URL. */
export async function serveOnReadOnlyMachine(
  args: readonly string[],
  visit: (url: string) => Promise<void>,
): Promise<void> {
  const logs = await mkdtemp(join(tmpdir(), 'eck-airgap-serve-'));
  try {
    await withReadOnlyMachine([...args, '--listen', '127.0.0.1:0'], async ({ command, env }) => {
      const daemon = startDaemon('unshare', command, { bare: true, env, logFile: join(logs, 'log') });
      try {
        const [url] = await daemon.printed(/https?:\/\/127\.0\.0\.1:[0-9]+/);
        await visit(url);
      } finally {
        await daemon.stop();
      }
    });
  } finally {
    await rm(logs, { recursive: true, force: true });
  }
}

interface ReadOnlyMachine {
  /** Arguments of `unshare`. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function withReadOnlyMachine<T>(
  args: readonly string[],
  use: (machine: ReadOnlyMachine) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'eck-airgap-scratch-'));
  try {
    const script = `mount --make-rprivate /
      findmnt --list --noheadings --output TARGET --types noproc,nosysfs,nocgroup,nocgroup2,nodevpts | while read -r place; do
        mount -o remount,bind,ro "$place" 2> /dev/null || true
      done
      mount -t tmpfs -o size=16m tmpfs "$0"
      cd "$0"
      for place in / /tmp /var/tmp /dev/shm "$OLDPWD"; do
        if touch "$place/written" 2> /dev/null; then echo "still writable: $place" >&2; exit 1; fi
      done
      exec "$@"`;
    const env = { ...privateFolders(scratch), TMPDIR: scratch };
    return await use({ command: ['--mount', 'bash', '-ec', script, scratch, ...airgapCommand(), ...args], env });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
