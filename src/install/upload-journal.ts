// Remembers open uploads of large blobs, so that a load that was killed goes on inside a blob. One small file for each
// registry; losing it costs only a restart of those uploads. Entries of finished uploads are removed.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { fileError, isAirgapError, systemErrorCode } from '../core/errors.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import type { Activity } from '../core/events.ts';
import { ensureFolder, writeWholeFile } from '../core/files.ts';
import type { UploadJournal, UploadSessionRecord } from '../registry/upload-journal.ts';

const JournalSchema = v.record(
  v.string(),
  v.strictObject({ location: v.string(), offset: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) }),
);

/** Never a condition of an upload: what cannot be read or written is one warning, and is remembered in this process alone. */
export async function openUploadJournal(
  folder: string,
  host: string,
  { report }: Activity = {},
): Promise<UploadJournal> {
  const path = join(folder, `uploads-${hexOf(digestOf(Buffer.from(host))).slice(0, 16)}.json`);
  let usable = true;
  const unlessUnusable = async (task: () => Promise<unknown>): Promise<void> => {
    if (!usable) return;
    try {
      await task();
    } catch (error) {
      if (!isAirgapError(error)) throw error;
      usable = false;
      report?.({ type: 'warning', message: `an interrupted upload will start anew: ${error.message}` });
    }
  };
  const entries = new Map<string, UploadSessionRecord>();
  await unlessUnusable(async () => {
    for (const [key, entry] of Object.entries(await readJournal(path))) entries.set(key, entry);
  });
  const journalBytes = (): Buffer => Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  let writing = Promise.resolve();
  const save = (): Promise<void> => {
    // an upload location may carry the registry's session token: readable by its owner only
    writing = writing.then(() =>
      unlessUnusable(async () => {
        if (entries.size > 0) await ensureFolder(folder, { mode: 0o700 });
        await writeWholeFile(path, journalBytes(), { mode: 0o600, durable: false });
      }),
    );
    return writing;
  };
  return {
    get: (key) => entries.get(key),
    set: async (key, value) => {
      entries.set(key, value);
      await save();
    },
    delete: async (key) => {
      if (entries.delete(key)) await save();
    },
  };
}

/** @throws IO_FAILED */
async function readJournal(path: string): Promise<v.InferOutput<typeof JournalSchema>> {
  try {
    const result = v.safeParse(JournalSchema, JSON.parse(await readFile(path, 'utf8')));
    return result.success ? result.output : {};
  } catch (error) {
    // a journal that cannot be understood is no worse than none
    if (systemErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return {};
    throw fileError(error, 'read', path);
  }
}
