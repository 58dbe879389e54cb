// Replay: an old bundle is validly signed for ever. Whether a bundle is older than what was loaded before is found out from
// the receipts in the registry and from this machine's record; whether it is past its time, from the clock.
import type { Digest } from '../core/digest.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { isExpired } from '../bundle/freshness.ts';
import type { BundleManifest } from '../bundle/manifest.ts';
import type { Bundle } from '../bundle/reader.ts';
import { loadRecordFile, readLoadRecord } from './load-record.ts';
import { addressText } from './receipt.ts';
import type { RegistryAddress } from './registry-address.ts';
import type { StoredReceipts } from './stored-receipts.ts';

/** The sequence of a bundle that nobody counted: the first lock of a line has it. */
const UNCOUNTED = 1;

/** A bundle of the same name that was loaded into the same place before. */
export interface EarlierLoad {
  readonly sequence: number;
  readonly bundle: Digest;
  /** Not known of the first receipts. */
  readonly lock?: Digest | undefined;
  /** Locks of the same sequence that were loaded before that one. */
  readonly superseded?: readonly Digest[];
  /** Where this is known from. */
  readonly where: string;
}

type Loadable = Pick<Bundle, 'manifest' | 'digest'>;

export interface EarlierLoadsOptions extends Activity {
  readonly address: RegistryAddress;
  /** The name of the bundles. */
  readonly name: string;
  readonly receipts: StoredReceipts;
  /** Folder of this machine's records. */
  readonly stateFolder: string;
}

/** A record or receipt that cannot be read is a warning: it neither stops a load nor hides what the other one knows. */
export async function earlierLoads(options: EarlierLoadsOptions): Promise<EarlierLoad[]> {
  const { receipts, name } = options;
  const ours = await unlessUnreadable(options, 'the records of loads on this machine', () => ownRecord(options));
  const theirs = await unlessUnreadable(options, `the receipts in ${receipts.where}`, async () =>
    (await receipts.read(name)).map(({ receipt, where }): EarlierLoad => {
      const { sequence, digest, lock } = receipt.bundle;
      return { sequence, bundle: digest, lock, where: `the receipt ${where}` };
    }),
  );
  return [...theirs, ...ours];
}

async function ownRecord({ address, name, stateFolder }: EarlierLoadsOptions): Promise<EarlierLoad[]> {
  const file = loadRecordFile(stateFolder, addressText(address), name);
  const record = await readLoadRecord(file);
  if (record === undefined) return [];
  const { sequence, bundle, locks } = record;
  return [{ sequence, bundle, lock: locks.at(-1), superseded: locks.slice(0, -1), where: file }];
}

async function unlessUnreadable(
  { signal, report }: Activity,
  what: string,
  task: () => Promise<EarlierLoad[]>,
): Promise<EarlierLoad[]> {
  try {
    return await task();
  } catch (error) {
    signal?.throwIfAborted();
    if (!isAirgapError(error)) throw error;
    const message = `${what} cannot be read, so they do not show whether this bundle is older: ${error.message}`;
    report?.({ type: 'warning', message });
    return [];
  }
}

export interface NewerOptions extends Activity {
  /** Load it all the same, with a warning. */
  readonly allowOlder?: boolean | undefined;
}

/** @throws BUNDLE_OLDER for a lower sequence, and for another lock of the same one */
export function requireNewer(bundle: Loadable, earlier: readonly EarlierLoad[], options: NewerOptions = {}): void {
  const refusals = earlier.flatMap((load) => refusalOf(bundle, load) ?? []);
  const [first] = refusals.sort((a, b) => Number(b.fatal) - Number(a.fatal));
  if (first === undefined) return;
  if (first.fatal && options.allowOlder !== true) throw first.error;
  options.report?.({ type: 'warning', message: first.error.message });
}

function refusalOf(
  { digest, manifest }: Loadable,
  load: EarlierLoad,
): { error: AirgapError; fatal: boolean } | undefined {
  const { sequence, lock, name } = manifest;
  if (sequence > load.sequence || digest === load.bundle) return undefined;
  if (sequence < load.sequence) return { error: older(manifest, load), fatal: true };
  if (lock === load.lock) return undefined;
  if (load.superseded?.includes(lock) === true) return { error: replaced(manifest, load), fatal: true };
  return { error: undecided(name, load), fatal: sequence > UNCOUNTED };
}

function older({ name, sequence }: BundleManifest, load: EarlierLoad): AirgapError {
  return refused(
    `${name} has sequence ${sequence} and is older than what was loaded before: sequence ${load.sequence}, ${load.bundle} (${load.where})`,
    load,
  );
}

function replaced({ name }: BundleManifest, load: EarlierLoad): AirgapError {
  return refused(
    `${name} was loaded before, and another bundle of the same sequence (${load.sequence}) since: ${load.bundle} (${load.where})`,
    load,
  );
}

function undecided(name: string, load: EarlierLoad): AirgapError {
  return new AirgapError(
    'BUNDLE_OLDER',
    `${name} has the same sequence (${load.sequence}) as what was loaded before, ${load.bundle}, and another lock: which of the two is newer cannot be told (${load.where})`,
    {
      hint: `Build it with "eck-airgap build --sequence ${load.sequence + 1}", or a higher number; or pass --allow-older if it is the one you want.`,
      details: { loaded: load },
    },
  );
}

function refused(message: string, load: EarlierLoad): AirgapError {
  return new AirgapError('BUNDLE_OLDER', message, {
    hint: 'Carry the newest bundle over. To go back on purpose, pass --allow-older.',
    details: { loaded: load },
  });
}

export interface UnexpiredOptions extends Activity {
  readonly now: Date;
  /** Use it all the same, with a warning. */
  readonly allowExpired?: boolean | undefined;
}

/** @throws BUNDLE_EXPIRED */
export function requireUnexpired(
  manifest: Pick<BundleManifest, 'name' | 'expires'>,
  { now, allowExpired, report }: UnexpiredOptions,
): void {
  if (!isExpired(manifest, now)) return;
  const { name, expires = '' } = manifest;
  const message = `${name} expired at ${expires}; the clock of this machine says ${now.toISOString()}`;
  if (allowExpired !== true)
    throw new AirgapError('BUNDLE_EXPIRED', message, {
      hint: 'Carry a newer bundle over. Where the clock is wrong, set it; to use the bundle all the same, pass --allow-expired.',
      details: { name, expires, now: now.toISOString() },
    });
  report?.({ type: 'warning', message });
}
