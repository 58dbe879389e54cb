import { imagesOf } from '../../bundle/counted-images.ts';
import { openBundle } from '../../bundle/reader.ts';
import { writeWholeFile } from '../../core/files.ts';
import { load } from '../../install/load.ts';
import { movingTags, planLines, planLoad, targetReference, type LoadPlan } from '../../install/plan.ts';
import { encodeReceipt, makeReceipt, pushReceipt } from '../../install/receipt.ts';
import { parseRegistryAddress } from '../../install/registry-address.ts';
import { openUploadJournal } from '../../install/upload-journal.ts';
import { AirgapError } from '../../core/errors.ts';
import { plural } from '../../core/plural.ts';
import { Registry, type RegistryOptions } from '../../registry/registry.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import {
  pathOf,
  readStdinSecret,
  registryOptions,
  stringFlag,
  trustedKeys,
  withKeyFlag,
  withRegistryFlags,
} from '../flags.ts';
import { formatBytes } from '../format.ts';
import { stateFolder } from '../folders.ts';

export const loadCommand: CommandModule = {
  name: 'load',
  summary: 'Verify a bundle and push its images into a registry.',
  define: (command) =>
    withRegistryFlags(withKeyFlag(command.argument('<bundle...>', 'the tar, its first volume, or the media folder')))
      .requiredOption('--registry <host[:port][/prefix]>', 'where to push')
      .option('--flatten <name>', 'put every image below this one path (ECK: container-repository)')
      .option('--username <name>', 'account in the registry; the password comes with --password-stdin')
      .option('--password-stdin', 'read the password from standard input')
      .option('--receipt <file>', 'where to write the receipt (default: <bundle name>.receipt.json here)')
      .option('--dry-run', 'print source=target@digest lines and push nothing')
      .addHelpText(
        'after',
        '\nExample:\n  eck-airgap load /media/usb --key airgap.pub --registry registry.example:5000/elastic\n',
      ),
  run: async (context) => {
    const address = parseRegistryAddress(stringFlag(context, 'registry') ?? '');
    const paths = context.args.map((path) => pathOf(context, path));
    const { report } = context.output;
    const { signal } = context.io;
    const options = await loadOptions(context, address.host);
    const keys = await trustedKeys(context, context.args[0] ?? '');
    const bundle = await openBundle(paths, { keys, hashing: context.hashing, signal, report });
    const registry = new Registry(address.host, options);
    try {
      const plan = await planLoad(bundle, registry, {
        address,
        flatten: stringFlag(context, 'flatten'),
        signal,
        report,
      });
      warnOfMovingTags(context, plan);
      if (context.flags['dryRun'] === true) {
        printPlan(context, plan);
        return;
      }
      const receipt = makeReceipt(bundle, plan);
      const receiptFile = pathOf(context, stringFlag(context, 'receipt') ?? `${bundle.manifest.name}.receipt.json`);
      const result = await load(bundle, registry, plan, { signal, report });
      const receiptReference = await pushReceipt(registry, receipt, plan, signal);
      await writeWholeFile(receiptFile, encodeReceipt(receipt));
      report({ type: 'step', step: 'load:receipt' });
      context.output.result(
        { ...result, images: receipt.images, receipt: { file: receiptFile, reference: receiptReference } },
        [
          ...plan.images.map((image) => `${targetReference(address, image)}@${image.digest}`),
          `${imagesOf(bundle.manifest)} in ${receipt.registry}: ${result.copied === 0 && result.tagged === 0 ? 'nothing was left to do' : `${formatBytes(result.bytes)} pushed, ${plural(result.tagged, 'tag')} set`}`,
          `receipt ${receiptFile} and ${receiptReference}`,
        ],
      );
    } finally {
      await Promise.all([bundle.close(), registry.close()]);
    }
  },
};

async function loadOptions(context: CommandContext, host: string): Promise<RegistryOptions> {
  const uploads = await openUploadJournal(stateFolder(context), host);
  const username = stringFlag(context, 'username');
  const fromStdin = context.flags['passwordStdin'] === true;
  if ((username === undefined) === fromStdin)
    throw new AirgapError('USAGE', '--username and --password-stdin go together');
  if (username === undefined) return { ...(await registryOptions(context)), uploads };
  const password = await readStdinSecret(context);
  return {
    ...(await registryOptions(context, { [host]: { kind: 'basic', username, password, from: '--username' } })),
    uploads,
  };
}

function warnOfMovingTags(context: CommandContext, plan: LoadPlan): void {
  for (const { repository, tag, from, to } of movingTags(plan)) {
    context.output.warn(`${plan.registry.host}/${repository}:${tag} moves from ${from} to ${to}`);
  }
}

function printPlan(context: CommandContext, plan: LoadPlan): void {
  context.output.report({
    type: 'done',
    what: `would push ${formatBytes(plan.bytesToPush)} in ${plural(plan.blobsToPush, 'blob')}; ${plan.blobsPresent} are there`,
  });
  const value = {
    registry: plan.registry,
    bytesToPush: plan.bytesToPush,
    blobsToPush: plan.blobsToPush,
    blobsPresent: plan.blobsPresent,
    moves: movingTags(plan),
    images: plan.images.map((image) => ({
      source: image.source,
      target: targetReference(plan.registry, image),
      digest: image.digest,
      missing: image.missing.size,
    })),
  };
  context.output.result(value, planLines(plan));
}
