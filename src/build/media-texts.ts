// The small files beside a bundle: texts, SHA256SUMS and its signature. One that is there and right stays; one that an earlier
// build wrote is replaced.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, hexOf } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { writeWholeFile } from '../core/files.ts';
import { nameAt, openWritten, refuseOtherThanFile } from '../core/output-file.ts';
import { readFully } from '../core/streams.ts';
import { isMediaName, SUMS_FILE, SUMS_SIGNATURE_FILE } from '../bundle/media-folder.ts';
import { verifySignature } from '../signing/signature.ts';
import type { Signer } from '../signing/signer.ts';

/** base64 of a signature by the largest RSA key, with room to spare. */
const SIGNATURE_LIMIT = 16 * 1024;

export interface PlaceTextOptions extends Activity {
  readonly media: string;
  /** What an earlier build says it wrote. */
  readonly listed: ReadonlyMap<string, string>;
  /** Whether the user said that an earlier build may go. */
  readonly replace: boolean;
}

/** @throws FILE_EXISTS for a file of that name that no build wrote, PATH_INVALID, DISK_FULL, IO_FAILED */
export async function placeText(name: string, bytes: Buffer, options: PlaceTextOptions): Promise<void> {
  const path = join(options.media, name);
  const found = await readBack(path, bytes.byteLength);
  if (found?.equals(bytes) === true) return;
  if (found !== undefined && !options.replace && !options.listed.has(name))
    throw new AirgapError('FILE_EXISTS', `${path} was not written by a build, and is not replaced`, {
      hint: 'Move that file away, and run the same command again: it goes on where it stopped.',
      details: { file: path },
    });
  if (options.listed.get(name) === hexOf(digestOf(bytes)))
    options.report?.({ type: 'warning', message: `${path} was changed after it was written; it is written anew` });
  await writeWholeFile(path, bytes);
}

/** A signature that is there and good is kept: making one may need a person. */
export async function placeSums(sums: Buffer, signer: Signer, options: PlaceTextOptions): Promise<void> {
  const path = join(options.media, SUMS_SIGNATURE_FILE);
  const mine = { ...options, replace: true }; // whose they are was found out before anything was written
  const signature = await readBack(path, SIGNATURE_LIMIT);
  const good = signature && verifySignature(signer.publicKey, sums, signature.toString('latin1').trimEnd());
  const text = good === true ? signature : Buffer.from(`${await signer.sign(sums, options.signal)}\n`);
  await placeText(SUMS_FILE, sums, mine);
  await placeText(SUMS_SIGNATURE_FILE, text, mine);
}

/** Removes what an earlier build listed and this one does not have. */
export async function removeListed(names: Iterable<string>, media: string): Promise<void> {
  for (const name of names) {
    const path = join(media, name);
    if (isMediaName(name) && (await nameAt(path))?.isDirectory() === false) await rm(path);
  }
}

/** At most one byte more than `limit`; undefined where nothing has the name. */
async function readBack(path: string, limit: number): Promise<Buffer | undefined> {
  if (!(await refuseOtherThanFile(path))) return undefined;
  const file = await openWritten(path);
  try {
    return await readFully(file, Buffer.alloc(limit + 1), 0);
  } finally {
    await file.close();
  }
}
