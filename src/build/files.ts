// Local files that a bundle carries: hashed for the lock, and put into the cache for the bundle.
import { open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Digester } from '../core/digest.ts';
import { AirgapError, fileError, isAirgapError } from '../core/errors.ts';
import { readRange, type ByteStream } from '../core/streams.ts';
import { LOCK_FILE, PROVENANCE_FILE, SBOM_FILE, type LockedFile } from '../bundle/lock.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import type { Cache } from '../oci/cache.ts';
import type { Descriptor } from '../oci/descriptor.ts';

export const FILE_MEDIA_TYPE = 'application/octet-stream';

const OWN_FILES: readonly string[] = [LOCK_FILE, SBOM_FILE, PROVENANCE_FILE];

/** @throws FILE_NOT_FOUND, CONFIG_INVALID for two files of one name, or for the name of one that a bundle has anyway */
export async function lockFiles(files: BundleSpec['files'], folder: string): Promise<LockedFile[]> {
  const locked: LockedFile[] = [];
  for (const { path = '', name: given } of files) {
    const name = given ?? basename(path);
    if (OWN_FILES.includes(name)) {
      throw new AirgapError('CONFIG_INVALID', `${name} is the name of a file that every bundle has`, {
        hint: 'Give the file of airgap.yaml another "name".',
      });
    }
    if (locked.some((other) => other.name === name)) {
      throw new AirgapError('CONFIG_INVALID', `two files of airgap.yaml are named ${name}`, {
        hint: 'Give one of them another "name".',
      });
    }
    const digester = new Digester();
    for await (const chunk of readFile(resolve(folder, path))) digester.update(chunk);
    const size = digester.size;
    locked.push({ name, path, digest: digester.digest(), size, verified: 'none' });
  }
  return locked;
}

/** Puts a locked file into the cache. @throws DIGEST_MISMATCH when it is no longer what was locked */
export async function fetchFile(file: LockedFile, folder: string, cache: Cache): Promise<void> {
  const path = resolve(folder, file.path ?? '');
  const descriptor: Descriptor = { mediaType: FILE_MEDIA_TYPE, digest: file.digest, size: file.size };
  if (await cache.exists(descriptor)) return;
  try {
    await cache.push(descriptor, { open: (start) => readFile(path, start) });
  } catch (error) {
    if (!isAirgapError(error, 'DIGEST_MISMATCH')) throw error;
    throw new AirgapError('DIGEST_MISMATCH', `${path} is not the file that was locked: ${error.message}`, {
      cause: error,
      hint: 'Restore the file, or run "eck-airgap lock" again and review what changed.',
    });
  }
}

/** A file from byte `start` on. @throws FILE_NOT_FOUND, IO_FAILED */
export async function* readFile(path: string, start = 0): ByteStream & AsyncGenerator<Uint8Array> {
  let file;
  try {
    file = await open(path);
    yield* readRange(file, { start });
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    await file?.close();
  }
}
