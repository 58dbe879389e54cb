import { imagesOf } from '../../bundle/counted-images.ts';
import { openBundle, type Bundle } from '../../bundle/reader.ts';
import type { Digest } from '../../core/digest.ts';
import { AirgapError } from '../../core/errors.ts';
import { requireNoneMissing } from '../../core/missing.ts';
import { plural } from '../../core/plural.ts';
import { checkByProducts, leaveByProducts, type ByProductPlaces } from '../../install/by-products.ts';
import { load } from '../../install/load.ts';
import { earlierLoads, requireNewer, requireUnexpired } from '../../install/newer-bundle.ts';
import { movingTags, planLines, planLoad, targetReference, type LoadPlan } from '../../install/plan.ts';
import { makeReceipt } from '../../install/receipt.ts';
import { parseRegistryAddress, type RegistryAddress } from '../../install/registry-address.ts';
import { receiptArtifact, StoredReceipts } from '../../install/stored-receipts.ts';
import { openUploadJournal } from '../../install/upload-journal.ts';
import { TITLE } from '../../oci/artifact.ts';
import { Registry, type RegistryOptions } from '../../registry/registry.ts';
import { bundleFacts } from '../bundle-facts.ts';
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
import { table, type Layout } from '../table.ts';

export const loadCommand: CommandModule = {
  name: 'load',
  listsWhatIsDone: true,
  summary: 'Verify a bundle and push its images into a registry.',
  define: (command) =>
    withRegistryFlags(withKeyFlag(command.argument('<bundle...>', 'the tar, its first volume, or the media folder')))
      .requiredOption('--registry <host[:port][/prefix]>', 'where to push')
      .option('--flatten <name>', 'put every image below this one path (ECK: container-repository)')
      .option('--username <name>', 'account in the registry; the password comes with --password-stdin')
      .option('--password-stdin', 'read the password from standard input')
      .option('--receipt <file>', 'where to write the receipt (default: <bundle name>.receipt.json here)')
      .option('--allow-older', 'load a bundle that is older than what was loaded before')
      .option('--allow-expired', 'load a bundle that is past its time')
      .option('--strict', 'fail where a receipt, the record on this machine or a signature of an image cannot be left')
      .option('--dry-run', 'print source=target@digest lines and push nothing')
      .addHelpText(
        'after',
        '\nExample:\n  eck-airgap load /media/usb --key airgap.pub --registry registry.example:5000/elastic\n',
      ),
  run: async (context) => {
    const address = parseRegistryAddress(stringFlag(context, 'registry') ?? '');
    const paths = context.args.map((path) => pathOf(context, path));
    const activity = { signal: context.io.signal, report: context.output.report };
    const options = await loadOptions(context, address.host);
    const keys = await trustedKeys(context, context.args[0] ?? '');
    const bundle = await openBundle(paths, { keys, hashing: context.hashing, ...activity });
    const registry = new Registry(address.host, options);
    try {
      requireUnexpired(bundle.manifest, { ...expiry(context), ...activity });
      const flatten = stringFlag(context, 'flatten');
      const plan = await planLoad(bundle, registry, { address, flatten, ...activity });
      warnOfMovingTags(context, plan);
      const places = byProductPlaces(context, { bundle, registry, address });
      await refuseOlder(context, bundle, { address, ...places });
      if (context.flags['dryRun'] === true) printPlan(context, { bundle, plan, places });
      else await loadPlanned(context, { bundle, registry, plan, places });
    } finally {
      await Promise.all([bundle.close(), registry.close()]);
    }
  },
};

interface Planned {
  readonly bundle: Bundle;
  readonly plan: LoadPlan;
  readonly places: ByProductPlaces;
}

/** By-products that cannot be left are named before the first byte is pushed; the others that fail, after the last. */
async function loadPlanned(context: CommandContext, planned: Planned & { registry: Registry }): Promise<void> {
  const { bundle, registry, plan, places } = planned;
  const activity = { signal: context.io.signal, report: context.output.report };
  const strict = context.flags['strict'] === true;
  const receipt = makeReceipt(bundle, plan);
  const expected = await checkByProducts(receipt, places, activity);
  if (strict) requireNoneMissing(expected, 'nothing was pushed');
  for (const one of expected) activity.report({ type: 'missing', missing: one });
  const { missing: refused, ...result } = await load(bundle, registry, plan, activity);
  const left = await leaveByProducts(receipt, places, activity);
  activity.report({ type: 'step', step: 'load:receipt' });
  const missing = [...refused, ...left.missing];
  if (strict) requireNoneMissing(missing, 'every image was pushed and tagged, and');
  for (const one of missing.filter(({ what, where }) => !expected.some((e) => e.what === what && e.where === where)))
    activity.report({ type: 'missing', missing: one });
  const receiptPlaces = [left.receipt.file, left.receipt.reference].filter((place) => place !== undefined);
  const { copied, tagged, bytes } = result;
  const pushed = { copied, tagged, bytesPushed: bytes };
  const { file, reference } = left.receipt;
  const value = { path: file, reference };
  context.output.result(
    { kind: 'LoadResult', ...bundleFacts(bundle), ...pushed, images: receipt.images, receipt: value, missing },
    [
      ...imageLines(plan, context.output.layout),
      `${imagesOf(bundle.manifest)} in ${receipt.registry}: ${result.copied === 0 && result.tagged === 0 ? 'nothing was left to do' : `${formatBytes(result.bytes)} pushed, ${plural(result.tagged, 'tag')} set`}`,
      ...(receiptPlaces.length === 0 ? [] : [`receipt ${receiptPlaces.join(' and ')}`]),
    ],
  );
}

/** Each can be pulled by its line; on a terminal, by what is left of it. */
function imageLines({ images, registry }: LoadPlan, layout: Layout): string[] {
  const named = images.map((image) => [targetReference(registry, image), image.digest] as const);
  if (!Number.isFinite(layout.width)) return named.map(([target, digest]) => `${target}@${digest}`);
  return table([{ heading: 'IMAGE', shorten: 'start' }, { heading: 'DIGEST' }], named, layout);
}

function expiry(context: CommandContext): { now: Date; allowExpired: boolean } {
  return { now: context.io.date(), allowExpired: context.flags['allowExpired'] === true };
}

function byProductPlaces(
  context: CommandContext,
  { bundle, registry, address }: { bundle: Bundle; registry: Registry; address: RegistryAddress },
): ByProductPlaces {
  const { name } = bundle.manifest;
  return {
    receiptFile: pathOf(context, stringFlag(context, 'receipt') ?? `${name}.receipt.json`),
    receipts: new StoredReceipts(registry, address, context.io.signal),
    stateFolder: stateFolder(context),
  };
}

/** @throws BUNDLE_OLDER */
async function refuseOlder(
  context: CommandContext,
  bundle: Bundle,
  places: ByProductPlaces & { address: RegistryAddress },
): Promise<void> {
  const activity = { signal: context.io.signal, report: context.output.report };
  const earlier = await earlierLoads({ ...places, ...activity, name: bundle.manifest.name });
  requireNewer(bundle, earlier, { ...activity, allowOlder: context.flags['allowOlder'] === true });
}

async function loadOptions(context: CommandContext, host: string): Promise<RegistryOptions> {
  const uploads = await openUploadJournal(stateFolder(context), host, { report: context.output.report });
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

function printPlan(context: CommandContext, { bundle, plan, places }: Planned): void {
  context.output.note(
    `would push ${formatBytes(plan.bytesToPush)} in ${plural(plan.blobsToPush, 'blob')}; ${plan.blobsPresent} are there`,
  );
  const receipt = receiptPlan(bundle, plan, places);
  const value = {
    kind: 'LoadPlan',
    ...bundleFacts(bundle),
    registry: plan.registry,
    bytesToPush: plan.bytesToPush,
    blobsToPush: plan.blobsToPush,
    blobsPresent: plan.blobsPresent,
    moves: movingTags(plan),
    images: plan.images.map((image) => ({
      source: image.source,
      target: targetReference(plan.registry, image),
      digest: image.digest,
      nodesToPush: image.missing.size,
    })),
    receipt,
  };
  context.output.result(value, [...planLines(plan), `${receipt.source}=${receipt.target}@${receipt.digest}`]);
}

/** The receipt, as one more thing that goes into the registry. */
function receiptPlan(
  bundle: Bundle,
  plan: LoadPlan,
  { receiptFile, receipts }: ByProductPlaces,
): { source: string; target: string; digest: Digest; file: string } {
  const receipt = makeReceipt(bundle, plan);
  const [, file, manifest] = receiptArtifact(receipt);
  const source = file.descriptor.annotations?.[TITLE] ?? '';
  const target = `${receipts.where}:${receipt.bundle.name}`;
  return { source, target, digest: manifest.descriptor.digest, file: receiptFile };
}
