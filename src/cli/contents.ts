// What `diff` is given: a lock or a bundle, told apart by what is there, so that a lock may have any name, or be a pipe.
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { readNamed } from '../core/named-file.ts';
import { requireText } from '../core/text.ts';
import type { Digest } from '../core/digest.ts';
import { lockContents } from '../build/lock-contents.ts';
import { contentsOfBundle, type Contents } from '../bundle/contents.ts';
import { DOCUMENT_LIMIT } from '../bundle/document.ts';
import { MANIFEST_PATH } from '../bundle/geometry.ts';
import { readHeldLock } from '../bundle/held-lock.ts';
import { parseLock, type Lock } from '../bundle/lock.ts';
import type { Bundle } from '../bundle/reader.ts';
import { isBundleName } from '../bundle/volumes.ts';
import { openCache, type Cache } from '../oci/cache.ts';
import type { CommandContext } from './command.ts';
import { pathOf } from './flags.ts';
import { cacheFolder } from './folders.ts';
import { withShownBundle } from './shown-bundle.ts';

export interface Compared {
  /** As it was typed. */
  readonly path: string;
  readonly kind: 'lock' | 'bundle';
  /** Of a bundle. */
  readonly digest?: Digest;
  readonly verified?: boolean;
}

/** @throws FILE_NOT_FOUND, CONFIG_INVALID, and what opening a bundle fails with */
export async function readContents(
  context: CommandContext,
  path: string,
): Promise<{ compared: Compared; contents: Contents }> {
  const text = await lockText(pathOf(context, path), context.io.signal);
  if (text !== undefined) {
    const contents = await lockContents(parseLock(text, path), await existingCache(context), context.io);
    return { compared: { path, kind: 'lock' }, contents };
  }
  return withShownBundle(context, [path], async (bundle) => ({
    compared: { path, kind: 'bundle', digest: bundle.digest, verified: bundle.verified },
    contents: contentsOfBundle(bundle.manifest, await lockOf(context, bundle, path)),
  }));
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
