import { checkInstallers } from '../../bundle/installers.ts';
import { openBundle } from '../../bundle/reader.ts';
import { verifyBundle } from '../../bundle/verify.ts';
import type { CommandModule } from '../command.ts';
import { pathOf, trustedKeys, withKeyFlag } from '../flags.ts';
import { formatBytes, plural } from '../format.ts';

export const verifyCommand: CommandModule = {
  name: 'verify',
  summary: 'Check the signature and every byte of a bundle.',
  define: (command) =>
    withKeyFlag(
      command.argument(
        '<bundle...>',
        'the tar, its first volume, or the media folder; several where volumes lie in several folders',
      ),
    ).addHelpText('after', '\nExample:\n  eck-airgap verify /media/usb --key airgap.pub\n'),
  run: async (context) => {
    const paths = context.args.map((path) => pathOf(context, path));
    const activity = { signal: context.io.signal, report: context.output.report };
    const keys = await trustedKeys(context, context.args[0] ?? '');
    const bundle = await openBundle(paths, { keys, ...activity });
    try {
      const verified = await verifyBundle(bundle, activity);
      const installers = await checkInstallers(bundle.manifest, paths, activity);
      const signers = bundle.signatures.filter((signature) => signature.state === 'verified');
      const value = {
        name: bundle.manifest.name,
        digest: bundle.digest,
        signatures: bundle.signatures,
        images: bundle.manifest.images.length,
        ...verified,
        installers,
      };
      context.output.result(value, [
        `${bundle.manifest.name}: ${plural(bundle.manifest.images.length, 'image')}, ${plural(verified.entries, 'entry', 'entries')}, ${formatBytes(verified.bytes)}: every byte is what was signed`,
        ...installers.map((name) => `${name}: the installer that was signed`),
        ...signers.map((signature) => `signed by ${signature.fingerprint ?? ''}`),
        `bundle ${bundle.digest}`,
      ]);
    } finally {
      await bundle.close();
    }
  },
};
