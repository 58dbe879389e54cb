// The program as it is started here: with everything that a user has below one folder.
import { join } from 'node:path';
import { commandOf } from '../interop/airgap.ts';
import { run, type Finished } from '../interop/process.ts';

/** Home, temporary folder, cache and state lie in the tree, where `cli()` of the tests has them. */
export function foldersOf(tree: string): Record<string, string> {
  const [cache, state] = [join(tree, '.cache'), join(tree, '.state')];
  return { HOME: tree, TMPDIR: join(tree, 'tmp'), XDG_CACHE_HOME: cache, XDG_STATE_HOME: state, CI: 'true' };
}

/** To its end, whatever it says. */
export async function runProgram(program: string, tree: string, argv: readonly string[]): Promise<Finished> {
  const [file, ...first] = commandOf(program);
  return run(file, [...first, ...argv], { cwd: tree, bare: true, env: foldersOf(tree), mayFail: true });
}
