// Debian in a folder, by debootstrap: the packages that every Debian has, and what is named beside them.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { output, run } from './process.ts';

const WASTE = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'];

/** Makes the root file system of this machine's suite in a folder that is not there yet. Needs root. */
export async function debootstrap(folder: string, include: readonly string[] = []): Promise<void> {
  const suite = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  const named = include.length === 0 ? [] : [`--include=${include.join(',')}`];
  await run('debootstrap', ['--variant=minbase', ...named, suite, folder, ...(await debianMirror(suite))]);
  for (const waste of WASTE) await rm(join(folder, waste), { recursive: true, force: true });
}

/** Where this machine's apt gets the suite from; debootstrap's own default when apt does not say. */
async function debianMirror(suite: string): Promise<string[]> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const lines = (await output('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])).split('\n');
  const own = lines.map((line) => line.split(' ')).find(([, release, part]) => release === suite && part === 'main');
  return own?.[0] === undefined ? [] : [own[0]];
}
