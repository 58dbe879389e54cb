import { join } from 'node:path';
import { build, dryRun, type BuildOptions, type BuildResult } from '../../build/build.ts';
import type { BuildPlan } from '../../build/build-plan.ts';
import { planLine } from '../build-plan.ts';
import { findInstallers, identifyInstallers, type InstallerFile } from '../../build/installers.ts';
import { AirgapError } from '../../core/errors.ts';
import { parseSourceDateEpoch } from '../../core/source-date.ts';
import { plural } from '../../core/plural.ts';
import { INSTALLER_PLATFORMS, isInstallerPlatform } from '../../core/program.ts';
import { countedImages } from '../../bundle/counted-images.ts';
import { describeFreshness, parseExpiry } from '../../bundle/freshness.ts';
import { parseVolumeSize } from '../../bundle/volumes.ts';
import { parsePublicKey } from '../../signing/public-key.ts';
import { commandSigner, keySigner, type Signer } from '../../signing/signer.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import { listFlag, numberFlag, pathOf, readText, repeatable, sequenceNumber, stringFlag } from '../flags.ts';
import { formatBytes } from '../format.ts';
import { handoverOf, sinceOf, withHandoverFlags } from '../handover.ts';
import type { Output, ResultDocument } from '../output.ts';
import { openPrivateKey, withReadableKeyFlag } from '../private-key-file.ts';
import { cacheFolder } from '../folders.ts';
import {
  newLock,
  readLock,
  readSpec,
  withSpecFlags,
  withWorkspace,
  writeLock,
  type SpecFiles,
  type Workspace,
} from '../spec-files.ts';
import { table, type Layout } from '../table.ts';
import { VERSION } from '../version.ts';

export const buildCommand: CommandModule = {
  name: 'build',
  summary: 'Collect what airgap.yaml names into one signed bundle, in a folder to put on media.',
  define: (command) =>
    withHandoverFlags(
      withReadableKeyFlag(
        withSpecFlags(command)
          .option('--key <file>', 'private key (airgap.key) to sign with')
          .option(
            '--passphrase-file <file>',
            'read the passphrase of the key from a file (also: ECK_AIRGAP_PASSPHRASE)',
          ),
      ),
    )
      .option(
        '--signer <program>',
        'external signer (HSM, smart card): gets the bytes on stdin, answers the signature on stdout',
      )
      .option('--signer-arg <arg>', 'an argument for the external signer; may be given several times', repeatable)
      .option('--public-key <file>', 'public key of the external signer')
      .requiredOption('--out <dir>', 'media folder to write')
      .option('--replace', 'put the bundle in the place of another build that lies in the media folder')
      .option('--dry-run', 'say what would be fetched and written, and whether there is room; write nothing')
      .option('--volume-size <size>', 'split the bundle into numbered volumes: 4G fits FAT32')
      .option(
        '--installer <platform>',
        `put the program for this platform on the media: ${INSTALLER_PLATFORMS.join(', ')}; may be given several times (default: itself)`,
        (platform: string, before: readonly string[] | false | undefined) => repeatable(platform, before || undefined),
      )
      .option('--no-installer', 'leave the program off the media')
      .option('--installers <dir>', 'folder with the packaged programs (without --installer: all that are there)')
      .option(
        '--sequence <n>',
        "number of the bundle: an older one is not loaded over a newer one (default: the lock's, else SOURCE_DATE_EPOCH)",
        sequenceNumber,
      )
      .option('--expires <date>', 'day (to its end) or time in UTC after which the bundle is not to be used')
      .addHelpText(
        'after',
        '\nExample:\n  eck-airgap build airgap.yaml --key airgap.key --out /media/usb --volume-size 4G\n',
      ),
  run: async (context) => {
    const volumeSize = stringFlag(context, 'volumeSize');
    const volume = volumeSize === undefined ? undefined : parseVolumeSize(volumeSize);
    const expires = stringFlag(context, 'expires');
    const freshness = {
      sequence: numberFlag(context, 'sequence'),
      sourceDateEpoch: parseSourceDateEpoch(context.io.env['SOURCE_DATE_EPOCH']),
      expires: expires === undefined ? undefined : parseExpiry(expires),
    };
    const { hashing } = context;
    const { signal } = context.io;
    // on another thread, while this one gets ready; they are wanted when everything has been fetched
    const installers = identifyInstallers(await installersOf(context), { hashing, signal });
    installers.catch(() => undefined); // awaited below, or something else failed first
    const files = await readSpec(context);
    const isDryRun = context.flags['dryRun'] === true;
    const handover = handoverOf(context, files.spec.metadata, freshness.sourceDateEpoch);
    const media = pathOf(context, stringFlag(context, 'out') ?? '.');
    const { report } = context.output;
    const options = async (workspace: Workspace): Promise<Omit<BuildOptions, 'signer'>> => ({
      ...workspace,
      ...freshness,
      handover,
      folder: files.folder,
      spec: files.spec,
      media,
      cacheFolder: cacheFolder(context),
      space: context.io.space,
      replace: context.flags['replace'] === true,
      volumeSize: volume,
      installers: await installers,
      policy: { signatures: files.spec.signatures, keys: files.keys },
      version: VERSION,
      self: context.io.self,
      hashing,
      signal,
      report,
      planned: (plan) => report({ type: 'done', what: planLine(plan) }),
    });
    if (isDryRun) return printPlan(context, files, options);
    const signer = await signerOf(context);
    const since = await sinceOf(context, signer.publicKey);
    const built = await withWorkspace(context, files.spec, async (workspace) => {
      const lock = (await readLock(context, files)) ?? (await writeLock(context, files, workspace));
      return build(lock, { ...(await options(workspace)), signer, since });
    });
    context.output.result(factsOf(built, files.spec.metadata.name, context.output), [
      ...mediaTable(built, context.output.layout),
      `${media}: ${countedImages(built.images, built.artifacts)} in ${formatBytes(built.bundleSize)}, bundle ${built.bundleDigest}`,
      describeFreshness(built),
      `signed by ${signer.publicKey.fingerprint}`,
    ]);
  },
};

async function printPlan(
  context: CommandContext,
  files: SpecFiles,
  options: (workspace: Workspace) => Promise<Omit<BuildOptions, 'signer'>>,
): Promise<void> {
  const plan = await withWorkspace(context, files.spec, async (workspace) => {
    const lock = (await readLock(context, files)) ?? (await newLock(context, files, workspace));
    return dryRun(lock, await options(workspace));
  });
  context.output.result(planFacts(plan, files.spec.metadata.name, context.output), [
    ...plan.files.map((name) => join(plan.output.path, name)),
    planLine(plan),
  ]);
}

function planFacts({ bundleSize, files, ...plan }: BuildPlan, name: string, { missing }: Output): ResultDocument {
  return {
    kind: 'BuildPlan',
    name,
    bytes: bundleSize,
    ...plan,
    onMedia: files.map((file) => ({ name: file })),
    missing,
  };
}

function mediaTable({ files }: BuildResult, layout: Layout): string[] {
  const columns = [{ heading: 'ON THE MEDIA' }, { heading: 'SIZE' }, { heading: 'SHA256', shorten: 'end' }] as const;
  const rows = files.map(({ path, size, sha256 }) => [path, formatBytes(size), sha256]);
  const sum = files.reduce((total, { size }) => total + size, 0);
  return [...table(columns, rows, layout), `${plural(files.length, 'file')} on the media: ${formatBytes(sum)}`];
}

function factsOf(built: BuildResult, name: string, { missing }: Output): ResultDocument {
  const { bundleDigest: digest, bundleSize: bytes, sequence, expires, written: bytesWritten } = built;
  return {
    kind: 'BuildResult',
    name,
    digest,
    sequence,
    ...(expires === undefined ? {} : { expires }),
    counts: { images: built.images - built.artifacts, artifacts: built.artifacts },
    bytes,
    bytesWritten,
    onMedia: built.files.map(({ path, size, sha256 }) => ({ name: path, size, digest: `sha256:${sha256}` })),
    missing,
  };
}

/** @throws USAGE, BUNDLE_INCOMPLETE */
async function installersOf(context: CommandContext): Promise<InstallerFile[]> {
  if (context.flags['installer'] === false) {
    if (stringFlag(context, 'installers') === undefined) return [];
    throw new AirgapError('USAGE', '--no-installer and --installers contradict each other', { hint: 'Leave one out.' });
  }
  const names = listFlag(context, 'installer');
  const platforms = names.filter(isInstallerPlatform);
  const unknown = names.find((name) => !isInstallerPlatform(name));
  if (unknown !== undefined)
    throw new AirgapError('USAGE', `--installer ${unknown}: there is no such platform`, {
      hint: `There are ${INSTALLER_PLATFORMS.join(', ')}.`,
    });
  const folder = stringFlag(context, 'installers');
  const { program } = context.io;
  const choice = { platforms, folder: folder === undefined ? undefined : pathOf(context, folder), program };
  const installers = await findInstallers(choice);
  if (installers.length === 0)
    context.output.report({
      type: 'warning',
      message:
        'no installer goes on the media: this program is not packaged; --installers DIR names a folder of packaged ones',
    });
  return installers;
}

async function signerOf(context: CommandContext): Promise<Signer> {
  const program = stringFlag(context, 'signer');
  const keyFile = stringFlag(context, 'key');
  if ((program === undefined) === (keyFile === undefined)) {
    throw new AirgapError('USAGE', 'a bundle is signed: one of --key and --signer is needed', {
      hint: 'Make a key with "eck-airgap keygen --out DIR" and pass --key DIR/airgap.key.',
    });
  }
  if (program !== undefined) {
    const publicFile = stringFlag(context, 'publicKey');
    if (publicFile === undefined)
      throw new AirgapError('USAGE', '--signer needs --public-key, to check what the signer answers');
    const path = pathOf(context, publicFile);
    const argv = [program, ...listFlag(context, 'signerArg')];
    return commandSigner(argv, parsePublicKey(await readText(context, path, 'KEY_INVALID'), path), {
      env: context.io.env,
    });
  }
  return keySigner(await openPrivateKey(context, pathOf(context, keyFile ?? '')));
}
