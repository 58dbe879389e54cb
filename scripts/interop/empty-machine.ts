// A machine with nothing on it: the smallest Debian, read-only, without /proc, without Node, with an empty environment.
import { debootstrap } from './debian.ts';
import { keptFolder } from './kept.ts';
import { run, type Finished } from './process.ts';

/** Runs a command there, in a folder of this machine, which is /mnt there. Needs root. @throws Error when it fails */
export async function onEmptyMachine(folder: string, command: readonly string[]): Promise<Finished> {
  const root = await keptFolder('minbase-1', (made) => debootstrap(made));
  const script = `mount --make-rprivate /
    mount --bind "$0" "$0"
    mount -o remount,bind,ro "$0"
    mount --bind "$1" "$0/mnt"
    exec chroot "$0" env --ignore-environment --chdir=/mnt "\${@:2}"`;
  return run('unshare', ['--mount', 'bash', '-ec', script, root, folder, ...command]);
}
