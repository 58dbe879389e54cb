import { imagesOf } from '../../bundle/counted-images.ts';
import { describeFreshness, isExpired } from '../../bundle/freshness.ts';
import { checkInstallers } from '../../bundle/installers.ts';
import { openBundle } from '../../bundle/reader.ts';
import { verifyBundle } from '../../bundle/verify.ts';
import { HASH_THREADS, HashThreads } from '../../core/hash-threads.ts';
import { settle } from '../../core/pool.ts';
import { plural } from '../../core/plural.ts';
import type { CommandModule } from '../command.ts';
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
      const [verified, installers] = await settle([
        verifyBundle(bundle, { workers, ...activity }),
        checkInstallers(bundle.manifest, paths, activity), // on this thread, while others hash the bundle
      ]);
      const signers = bundle.signatures.filter((signature) => signature.state === 'verified');
      const expired = isExpired(bundle.manifest, context.io.date());
      if (expired)
        context.output.warn(
          `${bundle.manifest.name} is past its time: load and serve refuse it without --allow-expired`,
        );
      const value = {
        name: bundle.manifest.name,
        digest: bundle.digest,
        sequence: bundle.manifest.sequence,
        ...(bundle.manifest.expires === undefined ? {} : { expires: bundle.manifest.expires, expired }),
        signatures: bundle.signatures,
        images: bundle.manifest.images.length,
        ...verified,
        installers,
      };
      context.output.result(value, [
        `${bundle.manifest.name}: ${imagesOf(bundle.manifest)}, ${plural(verified.entries, 'entry', 'entries')}, ${formatBytes(verified.bytes)}: every byte is what was signed`,
        ...installers.map((name) => `${name}: the installer that was signed`),
        ...signers.map((signature) => `signed by ${signature.fingerprint ?? ''}`),
        `bundle ${bundle.digest}`,
        describeFreshness(bundle.manifest),
      ]);
    } finally {
      await Promise.all([bundle.close(), hashing.close()]);
    }
  },
};
