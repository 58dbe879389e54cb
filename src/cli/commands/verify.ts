import { imagesOf } from '../../bundle/counted-images.ts';
import { describeFreshness, isExpired } from '../../bundle/freshness.ts';
import { checkMedia, type MediaState } from '../../bundle/media-check.ts';
import { openBundle } from '../../bundle/reader.ts';
import { verifyBundle } from '../../bundle/verify.ts';
import { HASH_THREADS, HashThreads } from '../../core/hash-threads.ts';
import { settle } from '../../core/pool.ts';
import { plural } from '../../core/plural.ts';
import { bundleFacts } from '../bundle-facts.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import { numberFlag, pathOf, trustedKeys, wholeNumber, withKeyFlag } from '../flags.ts';
import { formatBytes } from '../format.ts';

/** Each has 8 MiB of the bundle in memory. */
const MOST_WORKERS = 16;

export const verifyCommand: CommandModule = {
  name: 'verify',
  summary: 'Check the signature and every byte of a bundle.',
  define: (command) =>
    withKeyFlag(
      command.argument(
        '<bundle...>',
        'the tar, its first volume, or the media folder; several where volumes lie in several folders',
      ),
    )
      .option('--workers <n>', `threads that hash (default: ${HASH_THREADS})`, wholeNumber(1, MOST_WORKERS))
      .addHelpText('after', '\nExample:\n  eck-airgap verify /media/usb --key airgap.pub\n'),
  run: async (context) => {
    const paths = context.args.map((path) => pathOf(context, path));
    const activity = { signal: context.io.signal, report: context.output.report };
    const keys = await trustedKeys(context, context.args[0] ?? '');
    const workers = numberFlag(context, 'workers') ?? HASH_THREADS;
    const hashing = new HashThreads(workers);
    const bundle = await openBundle(paths, { keys, hashing, ...activity });
    try {
      const [verified, media] = await settle([
        verifyBundle(bundle, { workers, ...activity }),
        checkMedia(bundle.manifest, paths, { keys, ...activity }), // on this thread, while others hash the bundle
      ]);
      warnOfMedia(context, media);
      const signers = bundle.signatures.filter((signature) => signature.state === 'verified');
      const expired = isExpired(bundle.manifest, context.io.date());
      if (expired)
        context.output.warn(
          `${bundle.manifest.name} is past its time: load and serve refuse it without --allow-expired`,
        );
      const value = {
        kind: 'VerifyResult',
        ...bundleFacts(bundle),
        ...(bundle.manifest.expires === undefined ? {} : { expired }),
        signatures: bundle.signatures,
        bytes: verified.bytes,
        installers: media.installers,
        media: { listed: media.listed, missing: media.missing, unlisted: media.unlisted },
      };
      context.output.result(value, [
        `${bundle.manifest.name}: ${imagesOf(bundle.manifest)}, ${plural(verified.entries, 'entry', 'entries')}, ${formatBytes(verified.bytes)}: every byte is what was signed`,
        ...media.installers.map((name) => `${name}: the installer that was signed`),
        ...media.listed.map((name) => `${name}: as the signed SHA256SUMS lists it`),
        ...signers.map((signature) => `signed by ${signature.fingerprint ?? ''}`),
        `bundle ${bundle.digest}`,
        describeFreshness(bundle.manifest),
      ]);
    } finally {
      await Promise.all([bundle.close(), hashing.close()]);
    }
  },
};

/** Names in one warning. */
const SHOWN = 20;

function warnOfMedia({ output }: CommandContext, { missing, unlisted }: MediaState): void {
  if (missing.length > 0) output.warn(`${shown(missing)}: listed, and not on the media`);
  if (unlisted.length > 0)
    output.warn(`${shown(unlisted)}: on the media, and nothing that was signed lists it; do not run or believe it`);
}

function shown(names: readonly string[]): string {
  const more = names.length > SHOWN ? `, … (${names.length} in all)` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}
