// What `diff` is given: a lock or a bundle, told apart by what is there, so that a lock may have any name, or be a pipe.
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { readNamed } from '../core/named-file.ts';
import { requireText } from '../core/text.ts';
import { digestOf, type Digest } from '../core/digest.ts';
import { lockContents } from '../build/lock-contents.ts';
import { contentsOfBundle, type Contents } from '../bundle/contents.ts';
import { DOCUMENT_LIMIT } from '../bundle/document.ts';
import { MANIFEST_PATH } from '../bundle/geometry.ts';
import { readHeldLock } from '../bundle/held-lock.ts';
import { encodeLock, parseLock, type Lock } from '../bundle/lock.ts';
import { openBundle, type Bundle } from '../bundle/reader.ts';
import { isBundleName } from '../bundle/volumes.ts';
import { openCache, type Cache } from '../oci/cache.ts';
import type { PublicKey } from '../signing/public-key.ts';
import type { CommandContext } from './command.ts';
import { pathOf } from './flags.ts';
import { cacheFolder } from './folders.ts';
import { withShownBundle } from './shown-bundle.ts';

export interface Compared {
  /** As it was typed. */
  readonly path: string;
  readonly kind: 'lock' | 'bundle';
  /** Of the lock, or of the bundle. */
  readonly digest: Digest;
  /** Of a bundle. */
  readonly verified?: boolean;
}

/**
 * @param keys that a bundle must be signed by; by default those of --key
 * @throws FILE_NOT_FOUND, CONFIG_INVALID, and what opening a bundle fails with
 */
export async function readContents(
  context: CommandContext,
  path: string,
  keys?: readonly PublicKey[],
): Promise<{ compared: Compared; contents: Contents }> {
  const text = await lockText(pathOf(context, path), context.io.signal);
  if (text !== undefined) {
    const lock = parseLock(text, path);
    const contents = await lockContents(lock, await existingCache(context), context.io);
    return { compared: { path, kind: 'lock', digest: digestOf(encodeLock(lock)) }, contents };
  }
  const read = async (bundle: Bundle): Promise<{ compared: Compared; contents: Contents }> => ({
    compared: { path, kind: 'bundle', digest: bundle.digest, verified: bundle.verified },
    contents: contentsOfBundle(bundle.manifest, await lockOf(context, bundle, path)),
  });
  if (keys === undefined) return withShownBundle(context, [path], read);
  const bundle = await openBundle([pathOf(context, path)], { keys, signal: context.io.signal });
  return read(bundle).finally(() => bundle.close());
}

/** Undefined for what is no lock: the folders, volumes and tars that a bundle may be, or nothing at all. */
async function lockText(path: string, signal: AbortSignal): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isDirectory() || isBundleName(basename(path))) return undefined;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of readNamed(path, signal)) {
    if (size === 0 && Buffer.from(piece).toString('latin1').startsWith(`${MANIFEST_PATH}\0`)) return undefined;
    pieces.push(piece);
    size += piece.byteLength;
    if (size > DOCUMENT_LIMIT) throw neither(path);
  }
  return requireText(Buffer.concat(pieces), path);
}

function neither(path: string): AirgapError {
  return new AirgapError('CONFIG_INVALID', `${path} is neither a lock nor a bundle`, {
    hint: 'Name an airgap.lock.yaml, a bundle (its tar or first volume), or the media folder.',
  });
}

/** To compare, a cache is only read; none is made. */
async function existingCache(context: CommandContext): Promise<Cache | undefined> {
  const folder = cacheFolder(context);
  if ((await stat(folder).catch(() => undefined)) === undefined) return undefined;
  return openCache(folder, { self: context.io.self });
}

/** A bundle whose lock is in the format of another release can be compared but for what only the lock says. */
async function lockOf(context: CommandContext, bundle: Bundle, path: string): Promise<Lock | undefined> {
  try {
    return await readHeldLock(bundle, context.io);
  } catch (error) {
    if (!isAirgapError(error, 'CONFIG_INVALID', 'BUNDLE_INCOMPLETE')) throw error;
    context.output.warn(
      `${path}: where its content is from, and what vouched for it, is not compared: ${error.message}`,
    );
    return undefined;
  }
}
