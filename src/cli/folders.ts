// Folders of ours outside the project: cache and state, by the XDG base directory specification.
import { join } from 'node:path';
import type { CommandContext } from './command.ts';
import { pathOf, stringFlag } from './flags.ts';

/** Downloads, which can always be fetched again. */
export function cacheFolder(context: CommandContext): string {
  const flag = stringFlag(context, 'cache');
  if (flag !== undefined) return pathOf(context, flag);
  return join(context.io.env['XDG_CACHE_HOME'] || join(context.io.homeDir, '.cache'), 'eck-airgap');
}

/** What lets an interrupted command go on: a few KiB. */
export function stateFolder(context: CommandContext): string {
  return join(context.io.env['XDG_STATE_HOME'] || join(context.io.homeDir, '.local', 'state'), 'eck-airgap');
}
