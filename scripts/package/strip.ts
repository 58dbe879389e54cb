// Takes the symbols out of a Linux binary, which saves a seventh of it. This comes before the program is put in: strip
// does not know that section, and a binary stripped afterwards runs and prints nothing.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Target } from './targets.ts';

const run = promisify(execFile);
const processors: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** The Debian package to install before this target can be stripped; undefined where nothing is missing. */
export async function missingStrip(target: Target): Promise<string | undefined> {
  const tool = stripOf(target);
  if (tool === undefined) return undefined;
  try {
    await run(tool.program, ['--version']);
    return undefined;
  } catch {
    return tool.debian;
  }
}

/** In place; a Windows binary stays as it is. @throws Error where the tool is missing */
export async function strip(target: Target, path: string): Promise<void> {
  const tool = stripOf(target);
  if (tool !== undefined) await run(tool.program, [path]);
}

/** binutils know the machine's own processor under the short name, others by a prefix. */
function stripOf({ platform, processor }: Target): { program: string; debian: string } | undefined {
  if (platform !== 'linux') return undefined;
  if (processor === processors[process.arch]) return { program: 'strip', debian: 'binutils' };
  return { program: `${processor}-linux-gnu-strip`, debian: `binutils-${processor.replace('_', '-')}-linux-gnu` };
}
