import { plural } from '../../core/plural.ts';
import { describeFreshness } from '../../bundle/freshness.ts';
import { imagesOf } from '../../bundle/counted-images.ts';
import type { BundleFile } from '../../bundle/manifest.ts';
import type { Bundle } from '../../bundle/reader.ts';
import { requireComplete } from '../../catalog/proof.ts';
import { bundleClosure } from '../../install/closure.ts';
import { closureLines } from '../closure.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import { withKeyFlag } from '../flags.ts';
import { bundleFacts } from '../bundle-facts.ts';
import { formatBytes } from '../format.ts';
import { withShownBundle } from '../shown-bundle.ts';
import { table, type Layout } from '../table.ts';

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
            kind: 'InspectResult',
            ...bundleFacts(bundle),
            verified: bundle.verified,
            signatures: bundle.signatures,
            manifest: bundle.manifest,
          },
          describe(bundle, context.output.layout),
        );
    });
  },
};

/** The tables come before the error that says what is missing; --json has one document either way. @throws BUNDLE_INCOMPLETE */
async function showClosure(context: CommandContext, bundle: Bundle): Promise<void> {
  const closure = await bundleClosure(bundle, { signal: context.io.signal });
  if (context.flags['json'] === true) requireComplete(closure);
  context.output.result({ kind: 'ClosureResult', ...bundleFacts(bundle), verified: bundle.verified, ...closure }, [
    ...heading(bundle),
    ...closureLines(closure, context.output.layout),
  ]);
  requireComplete(closure);
}

function heading(bundle: Bundle): string[] {
  const { manifest } = bundle;
  const size = sum(manifest.entries);
  return [
    `${manifest.name}  ${formatBytes(size)} in ${plural(manifest.entries.length, 'entry', 'entries')}  ${bundle.verified ? 'signature verified' : 'NOT VERIFIED'}`,
    `bundle ${bundle.digest}`,
    describeFreshness(manifest),
  ];
}

function describe(bundle: Bundle, layout: Layout): string[] {
  const { manifest } = bundle;
  return [
    ...heading(bundle),
    ...bundle.signatures.map(
      (signature) =>
        `signature ${signature.slot}: ${signature.state}${signature.fingerprint === undefined ? '' : ` (${signature.fingerprint})`}`,
    ),
    '',
    ...table(
      [
        { heading: 'IMAGE', shorten: 'start' },
        { heading: 'PLATFORMS', shorten: 'end' },
        { heading: 'WITH' },
        { heading: 'DIGEST' },
      ],
      manifest.images.map((image) => [
        image.name,
        image.platforms.join(',') || '-',
        image.accompanying.length === 0 ? '-' : String(image.accompanying.length),
        image.digest,
      ]),
      layout,
    ),
    '',
    ...sized('FILE', manifest.files, layout),
    ...(manifest.installers.length === 0 ? [] : ['', ...sized('INSTALLER', manifest.installers, layout)]),
    '',
    sumLine(bundle),
  ];
}

type Sized = Pick<BundleFile, 'name' | 'size' | 'digest'>;

function sized(heading: string, all: readonly Sized[], layout: Layout): string[] {
  const rows = all.map(({ name, size, digest }) => [name, formatBytes(size), digest]);
  return table([{ heading, shorten: 'end' }, { heading: 'SIZE' }, { heading: 'DIGEST' }], rows, layout);
}

function sumLine({ manifest }: Bundle): string {
  const { entries, files, installers } = manifest;
  const bundle = sum(entries);
  const beside =
    installers.length === 0
      ? ''
      : `, with ${plural(installers.length, 'installer')} ${formatBytes(bundle + sum(installers))}`;
  return `${imagesOf(manifest)}, ${plural(files.length, 'file')}: ${formatBytes(bundle)}${beside}`;
}

function sum(all: readonly { readonly size: number }[]): number {
  return all.reduce((total, { size }) => total + size, 0);
}
