// `export`: a file or a chart out of a bundle, whole and verified or not at all. What can be taken out is exportable.ts.
import { createHash } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AirgapError, fileError, isAirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { syncFolder } from '../core/files.ts';
import { openOutput, openWritten, refuseOtherThanFile } from '../core/output-file.ts';
import { readRange, writeFully } from '../core/streams.ts';
import type { BundleFile } from '../bundle/manifest.ts';
import { blobPath } from '../bundle/manifest-rules.ts';
import type { Bundle } from '../bundle/reader.ts';
import { verified } from '../oci/content.ts';

export interface ExportOptions extends Activity {
  /** Path of the file to write. A file of the same content is left as it is; another one is not overwritten. */
  readonly out: string;
}

/** @throws FILE_EXISTS, PATH_INVALID (a link lies there), BUNDLE_CORRUPT, DISK_FULL */
export async function exportFile(bundle: Bundle, file: BundleFile, options: ExportOptions): Promise<void> {
  if (await isAlready(file, options)) return;
  const temporary = `${options.out}.partial`;
  options.report?.({ type: 'phase', phase: `exporting ${file.name}`, total: file.size });
  await refuseOtherThanFile(temporary);
  try {
    await writeVerified(bundle, file, { ...options, out: temporary });
    await rename(temporary, options.out);
    await syncFolder(dirname(options.out));
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(error, 'write', options.out);
  }
}

/**
 * The bytes in their order, each chunk checked before it is yielded, the whole at the end.
 * @throws BUNDLE_CORRUPT
 */
export async function* exportedBytes(
  bundle: Bundle,
  file: BundleFile,
  { signal }: Activity = {},
): AsyncGenerator<Uint8Array> {
  try {
    yield* verified(bundle.fetch(file, { signal }), file);
  } catch (error) {
    throw isAirgapError(error, 'DIGEST_MISMATCH') ? wronglySigned(file, error) : error;
  }
}

/** Whoever takes a file out relies on its digest, not on the chunk hashes that the reader checks, so it is hashed whole. */
async function writeVerified(bundle: Bundle, file: BundleFile, options: ExportOptions): Promise<void> {
  const out = await openOutput(options.out);
  try {
    await out.truncate();
    let position = 0;
    for await (const chunk of exportedBytes(bundle, file, options)) {
      await writeFully(out, chunk, position);
      position += chunk.byteLength;
      options.report?.({ type: 'progress', bytes: chunk.byteLength });
    }
    await out.sync();
  } finally {
    await out.close();
  }
}

/** Each chunk is what was signed, and the whole is not. */
function wronglySigned(file: BundleFile, cause: AirgapError): AirgapError {
  return new AirgapError(
    'BUNDLE_CORRUPT',
    `the chunk hashes of ${file.name} belong to other bytes than its digest: ${cause.message}`,
    {
      cause,
      hint: 'The bundle was built wrongly: build it again from an empty cache, and carry it over again.',
      details: { ...cause.details, region: blobPath(file.digest) },
    },
  );
}

async function isAlready(file: BundleFile, options: ExportOptions): Promise<boolean> {
  if (!(await refuseOtherThanFile(options.out))) return false;
  if (await isFile(options.out, file)) return true;
  throw new AirgapError('FILE_EXISTS', `${options.out} is already there and is not this file`, {
    hint: 'Name another file with --out, or remove it.',
  });
}

async function isFile(path: string, { size, digest }: BundleFile): Promise<boolean> {
  const file = await openWritten(path);
  try {
    if ((await file.stat()).size !== size) return false;
    const hash = createHash('sha256');
    for await (const chunk of readRange(file)) hash.update(chunk);
    return `sha256:${hash.digest('hex')}` === digest;
  } finally {
    await file.close();
  }
}
