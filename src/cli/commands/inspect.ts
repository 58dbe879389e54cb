import { plural } from '../../core/plural.ts';
import { describeFreshness } from '../../bundle/freshness.ts';
import type { Bundle } from '../../bundle/reader.ts';
import { requireComplete } from '../../catalog/proof.ts';
import { bundleClosure } from '../../install/closure.ts';
import { closureLines } from '../closure.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import { withKeyFlag } from '../flags.ts';
import { formatBytes, table } from '../format.ts';
import { withShownBundle } from '../shown-bundle.ts';

export const inspectCommand: CommandModule = {
  name: 'inspect',
  summary: 'Show what a bundle says it holds; without --key nothing of it is trusted.',
  define: (command) =>
    withKeyFlag(command.argument('<bundle...>', 'the tar, its first volume, or the media folder'))
      .option('--closure', 'prove that every image the operator and the carried manifests will ask for is in it')
      .addHelpText('after', '\nExample:\n  eck-airgap inspect site-alpha.tar --json\n'),
  run: async (context) => {
    await withShownBundle(context, context.args, async (bundle) => {
      if (context.flags['closure'] === true) await showClosure(context, bundle);
      else
        context.output.result(
          {
            verified: bundle.verified,
            digest: bundle.digest,
            signatures: bundle.signatures,
            manifest: bundle.manifest,
          },
          describe(bundle),
        );
    });
  },
};

/** The tables come before the error that says what is missing; --json has one document either way. @throws BUNDLE_INCOMPLETE */
async function showClosure(context: CommandContext, bundle: Bundle): Promise<void> {
  const closure = await bundleClosure(bundle, { signal: context.io.signal });
  const { verified, digest } = bundle;
  if (context.flags['json'] === true) requireComplete(closure);
  context.output.result({ verified, digest, ...closure }, [...heading(bundle), ...closureLines(closure)]);
  requireComplete(closure);
}

function heading(bundle: Bundle): string[] {
  const { manifest } = bundle;
  const size = manifest.entries.reduce((sum, entry) => sum + entry.size, 0);
  return [
    `${manifest.name}  ${formatBytes(size)} in ${plural(manifest.entries.length, 'entry', 'entries')}  ${bundle.verified ? 'signature verified' : 'NOT VERIFIED'}`,
    `bundle ${bundle.digest}`,
    describeFreshness(manifest),
  ];
}

function describe(bundle: Bundle): string[] {
  const { manifest } = bundle;
  return [
    ...heading(bundle),
    ...bundle.signatures.map(
      (signature) =>
        `signature ${signature.slot}: ${signature.state}${signature.fingerprint === undefined ? '' : ` (${signature.fingerprint})`}`,
    ),
    '',
    ...table([
      ['IMAGE', 'DIGEST', 'PLATFORMS', 'WITH'],
      ...manifest.images.map((image) => [
        image.name,
        image.digest,
        image.platforms.join(',') || '-',
        image.accompanying.length === 0 ? '-' : String(image.accompanying.length),
      ]),
    ]),
    '',
    ...table([
      ['FILE', 'SIZE', 'DIGEST'],
      ...manifest.files.map((file) => [file.name, formatBytes(file.size), file.digest]),
    ]),
    ...installers(bundle),
  ];
}

function installers({ manifest }: Bundle): string[] {
  if (manifest.installers.length === 0) return [];
  return [
    '',
    ...table([
      ['INSTALLER', 'SIZE', 'DIGEST'],
      ...manifest.installers.map(({ name, size, digest }) => [name, formatBytes(size), digest]),
    ]),
  ];
}
