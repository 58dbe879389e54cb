// What this machine remembers of loads: for each place and name of bundles, the highest sequence that was ever loaded. A
// registry can lose its receipts, or be given other ones; this is ours. One small file each, in the state folder.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { canonicalJson } from '../core/canonical-json.ts';
import { digestOf, hexOf, isDigest, type Digest } from '../core/digest.ts';
import { AirgapError, fileError, systemErrorCode } from '../core/errors.ts';
import { ensureFolder, writeWholeFile } from '../core/files.ts';
import { API_VERSION, BundleName } from '../bundle/manifest.ts';
import type { Receipt } from './receipt.ts';

const MAX_LOCKS = 100;

const DigestSchema = v.custom<Digest>(isDigest, 'not a sha256 digest');

const LoadRecordSchema = v.strictObject({
  apiVersion: v.literal(API_VERSION),
  kind: v.literal('LoadRecord'),
  /** HOST[:PORT][/PREFIX] */
  registry: v.string(),
  name: BundleName,
  /** The highest that was loaded. */
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Digest of the bundle of that sequence that was loaded last. */
  bundle: DigestSchema,
  /** Digests of the locks of that sequence that were loaded, in that order, the last at the end. */
  locks: v.pipe(v.array(DigestSchema), v.minLength(1), v.maxLength(MAX_LOCKS)),
});

export type LoadRecord = v.InferOutput<typeof LoadRecordSchema>;

/** @param registry HOST[:PORT][/PREFIX] */
export function loadRecordFile(folder: string, registry: string, name: string): string {
  return join(folder, `loaded-${hexOf(digestOf(Buffer.from(`${registry} ${name}`))).slice(0, 16)}.json`);
}

/** Undefined where there is none. @throws CONFIG_INVALID, IO_FAILED */
export async function readLoadRecord(path: string): Promise<LoadRecord | undefined> {
  try {
    const result = v.safeParse(LoadRecordSchema, JSON.parse(await readFile(path, 'utf8')));
    if (result.success) return result.output;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw fileError(error, 'read', path);
  }
  throw new AirgapError('CONFIG_INVALID', `${path} is not a record of loads`, {
    hint: 'Remove it; the next load writes it again.',
  });
}

/** The record after one more load. A load of an older bundle, which was allowed, lowers nothing. */
export function recordLoad(before: LoadRecord | undefined, { bundle, registry }: Receipt): LoadRecord {
  const { name, sequence, digest, lock = digest } = bundle;
  if (before !== undefined && before.sequence > sequence) return before;
  const earlier = before?.sequence === sequence ? before.locks.filter((one) => one !== lock) : [];
  const locks = [...earlier, lock].slice(-MAX_LOCKS);
  return { apiVersion: API_VERSION, kind: 'LoadRecord', registry, name, sequence, bundle: digest, locks };
}

/** @throws DISK_FULL, IO_FAILED */
export async function writeLoadRecord(folder: string, record: LoadRecord): Promise<void> {
  await ensureFolder(folder, { mode: 0o700 });
  await writeWholeFile(loadRecordFile(folder, record.registry, record.name), canonicalJson(record), { mode: 0o600 });
}
