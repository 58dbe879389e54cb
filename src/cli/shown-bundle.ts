// Opening a bundle to show what it says of itself: verified where a key is given, and with a warning where none is.
import { openBundle, openUnverified, type Bundle } from '../bundle/reader.ts';
import type { CommandContext } from './command.ts';
import { listFlag, pathOf, trustedKeys } from './flags.ts';

/** @param named the bundle's paths as they were typed. @throws as `openBundle`; without --key as `openUnverified` */
export async function withShownBundle<T>(
  context: CommandContext,
  named: readonly string[],
  task: (bundle: Bundle) => Promise<T> | T,
): Promise<T> {
  const paths = named.map((path) => pathOf(context, path));
  const signed = listFlag(context, 'key').length > 0;
  const bundle = signed
    ? await openBundle(paths, { keys: await trustedKeys(context, named[0] ?? ''), signal: context.io.signal })
    : await openUnverified(paths, { signal: context.io.signal });
  try {
    if (!bundle.verified)
      context.output.warn(
        `${named[0] ?? ''}: the signature was not checked: this is what the bundle says of itself. Pass --key airgap.pub to check it.`,
      );
    return await task(bundle);
  } finally {
    await bundle.close();
  }
}
