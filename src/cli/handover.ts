// What transfer.html says of the transfer itself: from flags, else from airgap.yaml; and the older lock or bundle that it
// compares with.
import { basename } from 'node:path';
import type { Command } from 'commander';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import type { BuildSince } from '../build/build.ts';
import { isExpiry } from '../bundle/freshness.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import type { Handover } from '../bundle/transfer/page.ts';
import type { PublicKey } from '../signing/public-key.ts';
import type { CommandContext } from './command.ts';
import { readContents } from './contents.ts';
import { pathOf, stringFlag } from './flags.ts';

export function withHandoverFlags(command: Command): Command {
  return command
    .option('--since <path>', 'a lock, or a bundle with its media folder: transfer.html says what changed since')
    .option(
      '--date <day>',
      'day of the signature on transfer.html, YYYY-MM-DD (default: from SOURCE_DATE_EPOCH, else a line to fill in)',
    )
    .option('--system <name>', 'system that the transfer is for, on transfer.html (also: metadata of airgap.yaml)')
    .option('--requested-by <name>', 'who asks for the transfer, on transfer.html (also: metadata of airgap.yaml)')
    .option('--approved-by <name>', 'who approves the transfer, on transfer.html (also: metadata of airgap.yaml)');
}

/** @param sourceDateEpoch seconds since 1970. @throws USAGE */
export function handoverOf(
  context: CommandContext,
  metadata: BundleSpec['metadata'],
  sourceDateEpoch: number | undefined,
): Handover {
  return {
    system: stringFlag(context, 'system') ?? metadata.system,
    requestedBy: stringFlag(context, 'requestedBy') ?? metadata.requestedBy,
    approvedBy: stringFlag(context, 'approvedBy') ?? metadata.approvedBy,
    date: dayOf(stringFlag(context, 'date')) ?? dayAt(sourceDateEpoch),
  };
}

function dayOf(text: string | undefined): string | undefined {
  if (text === undefined || isExpiry(`${text}T00:00:00Z`)) return text;
  throw new AirgapError('USAGE', `--date ${JSON.stringify(text.slice(0, 50))} is not a day`, {
    hint: 'Write YYYY-MM-DD, such as 2030-12-31.',
  });
}

/** The last second of the year 9999. */
const LAST_SECOND = 253_402_300_799;

function dayAt(seconds: number | undefined): string | undefined {
  if (seconds === undefined || seconds > LAST_SECOND) return undefined;
  return new Date(seconds * 1000).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

/** A bundle must be signed by the key that signs the new one. @throws SIGNATURE_INVALID, and what `readContents` fails with */
export async function sinceOf(context: CommandContext, signer: PublicKey): Promise<BuildSince | undefined> {
  const path = stringFlag(context, 'since');
  if (path === undefined) return undefined;
  try {
    const { compared, contents } = await readContents(context, path, [signer]);
    return { name: basename(pathOf(context, path)), digest: compared.digest, contents };
  } catch (error) {
    if (!isAirgapError(error, 'SIGNATURE_INVALID')) throw error;
    throw new AirgapError(error.code, `--since: ${error.message}`, {
      cause: error,
      details: error.details,
      hint: 'Only a bundle by the same key is compared with; name the lock of the other one instead.',
    });
  }
}
