// Remembers open uploads of large blobs, so that a load that was killed goes on inside a blob. One small file for each
// registry; losing it costs only a restart of those uploads. Entries of finished uploads are removed.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { fileError, systemErrorCode } from '../core/errors.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import { ensureFolder, writeWholeFile } from '../core/files.ts';
import type { UploadJournal } from '../registry/upload-journal.ts';

const JournalSchema = v.record(
  v.string(),
  v.strictObject({ location: v.string(), offset: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) }),
);

/** @throws IO_FAILED, DISK_FULL */
export async function openUploadJournal(folder: string, host: string): Promise<UploadJournal> {
  const path = join(folder, `uploads-${hexOf(digestOf(Buffer.from(host))).slice(0, 16)}.json`);
  const entries = new Map(Object.entries(await readJournal(path)));
  const journalBytes = (): Buffer => Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  let writing = Promise.resolve();
  const save = (): Promise<void> => {
    // an upload location may carry the registry's session token: readable by its owner only
    writing = writing
      .catch(() => undefined)
      .then(() => writeWholeFile(path, journalBytes(), { mode: 0o600, durable: false }));
    return writing;
  };
  return {
    get: (key) => entries.get(key),
    set: async (key, value) => {
      if (entries.size === 0) await ensureFolder(folder, { mode: 0o700 });
      entries.set(key, value);
      await save();
    },
    delete: async (key) => {
      if (entries.delete(key)) await save();
    },
  };
}

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
