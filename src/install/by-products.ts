// What a load leaves beside the images: the receipt as a file and in the registry, and this machine's record. Whether each
// can be left is found out before the first byte is pushed; what then cannot be left is named, and never fails the load.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AirgapError, fileError, isAirgapError } from '../core/errors.ts';
import type { Activity, Missing } from '../core/events.ts';
import { ensureFolder, writeWholeFile } from '../core/files.ts';
import { loadRecordFile, readLoadRecord, recordLoad, writeLoadRecord } from './load-record.ts';
import { encodeReceipt, type Receipt } from './receipt.ts';
import type { StoredReceipts } from './stored-receipts.ts';

export interface ByProductPlaces {
  readonly receiptFile: string;
  readonly receipts: StoredReceipts;
  readonly stateFolder: string;
}

export interface LeftByProducts {
  /** Where the receipt is now. */
  readonly receipt: { readonly file?: string; readonly reference?: string };
  readonly missing: readonly Missing[];
}

/** Finds out what cannot be left, before anything else is done. Makes the state folder. */
export async function checkByProducts(
  receipt: Receipt,
  places: ByProductPlaces,
  { signal }: Activity = {},
): Promise<Missing[]> {
  const { receiptFile, receipts, stateFolder } = places;
  const checks = [
    attempt(fileReceipt(receiptFile), () => requireWritable(receiptFile), signal),
    attempt(registryReceipt(receipts), () => receipts.check(receipt), signal),
    attempt(loadRecord(stateFolder), () => requireWritableFolder(stateFolder), signal),
  ];
  return (await Promise.all(checks)).flatMap(({ missing }) => missing);
}

/** Leaves what can be left; nothing here depends on another. A tag that may not be moved is a warning: the receipt is there. */
export async function leaveByProducts(
  receipt: Receipt,
  places: ByProductPlaces,
  { signal, report }: Activity = {},
): Promise<LeftByProducts> {
  const { receiptFile, receipts, stateFolder } = places;
  const file = await attempt(fileReceipt(receiptFile), () => writeReceipt(receiptFile, receipt), signal);
  const record = await attempt(loadRecord(stateFolder), () => remember(stateFolder, receipt), signal);
  const stored = await attempt(registryReceipt(receipts), () => receipts.store(receipt), signal);
  const move = { what: `tag ${receipt.bundle.name} of it`, where: receipts.where };
  const moved = stored.value === undefined ? stored : await attempt(move, () => receipts.moveName(receipt), signal);
  const reference = moved.value ?? stored.value;
  if (reference !== undefined)
    for (const { why } of moved.missing)
      report?.({
        type: 'warning',
        message: `the receipt is ${reference}; the tag ${receipt.bundle.name} there cannot be moved to it: ${why}`,
      });
  return {
    receipt: {
      ...(file.value === undefined ? {} : { file: file.value }),
      ...(reference === undefined ? {} : { reference }),
    },
    missing: [...file.missing, ...record.missing, ...stored.missing],
  };
}

type Wanted = Pick<Missing, 'what' | 'where'>;

function fileReceipt(where: string): Wanted {
  return { what: 'receipt as a file', where };
}

function registryReceipt({ where }: StoredReceipts): Wanted {
  return { what: 'receipt in the registry', where };
}

function loadRecord(where: string): Wanted {
  return { what: 'record of this load on this machine', where };
}

interface Attempt<T> {
  readonly value?: T;
  readonly missing: readonly Missing[];
}

/** An interruption and a defect are no reason to go on without. */
async function attempt<T>(
  wanted: Wanted,
  task: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<Attempt<T>> {
  try {
    return { value: await task(), missing: [] };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isAirgapError(error)) throw error;
    const { message: why, hint } = error;
    return { missing: [{ ...wanted, why, ...(hint === undefined ? {} : { hint }) }] };
  }
}

async function writeReceipt(path: string, receipt: Receipt): Promise<string> {
  await writeWholeFile(path, encodeReceipt(receipt));
  return path;
}

/** A record that cannot be read is written anew. */
async function remember(folder: string, receipt: Receipt): Promise<void> {
  const path = loadRecordFile(folder, receipt.registry, receipt.bundle.name);
  const before = await readLoadRecord(path).catch((error: unknown) => {
    if (isAirgapError(error, 'CONFIG_INVALID')) return undefined;
    throw error;
  });
  await writeLoadRecord(folder, recordLoad(before, receipt));
}

async function requireWritableFolder(folder: string): Promise<void> {
  await ensureFolder(folder, { mode: 0o700 });
  await requireWritable(folder, folder);
}

/** @throws what writing a file into the folder would fail with */
async function requireWritable(path: string, folder = dirname(path)): Promise<void> {
  try {
    await access(folder, constants.W_OK);
    const found = path === folder ? undefined : await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) throw new AirgapError('PATH_INVALID', `cannot write ${path}: it is a folder`);
  } catch (error) {
    throw fileError(error, 'write', path);
  }
}
