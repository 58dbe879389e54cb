// Writing a bundle. Everything in it is known before the first byte is written (bundle.json, chunk hashes, offsets), so the
// file is a list of segments with one right content each: what is there and right stays, the rest is written
// (write-pass.ts). That is all there is to resuming.
import { join } from 'node:path';
import { digestOf, type Digest } from '../core/digest.ts';
import { AirgapError, isAirgapError, systemErrorCode } from '../core/errors.ts';
import { ensureFolder } from '../core/files.ts';
import type { Activity } from '../core/events.ts';
import { tryLock, type ProcessIdentity } from '../core/file-lock.ts';
import type { Hashing } from '../core/hashing.ts';
import { verifySignature } from '../signing/signature.ts';
import type { Signer } from '../signing/signer.ts';
import type { BodySource } from './body-source.ts';
import { CHUNK_TABLE_PATH, chunkTable } from './chunk-table.ts';
import { wrongGenerated } from './generated.ts';
import { geometryOf, MANIFEST_PATH, type Geometry } from './geometry.ts';
import { encodeBundleManifest, type BundleManifest } from './manifest.ts';
import { openOutput, type OutputFiles } from './output-files.ts';
import { decodeSlot, encodeSlot, slotPath } from './slots.ts';
import { WritePass } from './write-pass.ts';

export interface Bodies {
  /** Body of the entry `chunks`. */
  readonly chunkTable: Buffer;
  /** Bodies of all other entries. */
  readonly source: BodySource;
}

export interface WriteBundleOptions extends Activity {
  readonly folder: string;
  /** `<name>.tar`; volumes add their number. */
  readonly fileName: string;
  /** Bytes of a volume; one file by default. */
  readonly volumeSize?: number | undefined;
  /** Fills the first signature slot. */
  readonly signer: Signer;
  readonly self: ProcessIdentity;
  readonly hashing?: Hashing | undefined;
}

export interface WrittenFile {
  /** Name in the folder. */
  readonly path: string;
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

export interface WrittenBundle {
  readonly files: readonly WrittenFile[];
  readonly bundleDigest: Digest;
  /** Body bytes really written this time; what was there and right is not written again. */
  readonly written: number;
}

/**
 * Killed anywhere and called again, it goes on; called for a bundle that is there already, it only checks it. Where there is no
 * room for it, nothing of it is left that would take room: all of it is in the cache.
 * @throws DIGEST_MISMATCH with details.digest when a body is not what its chunk hashes say, DISK_FULL, IO_FAILED, STORE_BUSY, SIGNER_FAILED
 */
export async function writeBundle(
  manifest: BundleManifest,
  bodies: Bodies,
  options: WriteBundleOptions,
): Promise<WrittenBundle> {
  const manifestBytes = encodeBundleManifest(manifest);
  const wrong = wrongGenerated(manifest, bodies.chunkTable);
  if (wrong.length > 0)
    throw new AirgapError(
      'INTERNAL',
      `a bundle that no reader would take: ${wrong.join(', ')} does not fit bundle.json`,
    );
  await ensureFolder(options.folder);
  const unlock = await lockOutput(options);
  try {
    const geometry = geometryOf(manifestBytes.byteLength, manifest);
    const files = await openOutput({ ...options, size: geometry.size });
    let noRoom = false;
    try {
      return await writeFiles({ manifest, manifestBytes, bodies, geometry, files, options });
    } catch (error) {
      noRoom = isNoRoom(error);
      throw error;
    } finally {
      await files.close();
      if (noRoom) await files.removeUnfinished();
    }
  } finally {
    await unlock();
  }
}

/** The media, or the largest file that it takes, is too small. */
function isNoRoom(error: unknown): boolean {
  if (!isAirgapError(error)) return false;
  return error.code === 'DISK_FULL' || systemErrorCode(error.cause) === 'EFBIG';
}

async function lockOutput(options: WriteBundleOptions): Promise<() => Promise<void>> {
  const path = join(options.folder, `.${options.fileName}.lock`);
  const unlock = await tryLock(path, options.self);
  if (unlock) return unlock;
  throw new AirgapError('STORE_BUSY', `another process is writing ${join(options.folder, options.fileName)}`, {
    hint: `Wait for it. If there is none, remove ${path}.`,
  });
}

interface Writing {
  readonly manifest: BundleManifest;
  readonly manifestBytes: Buffer;
  readonly bodies: Bodies;
  readonly geometry: Geometry;
  readonly files: OutputFiles;
  readonly options: WriteBundleOptions;
}

async function writeFiles(writing: Writing): Promise<WrittenBundle> {
  const { files, options } = writing;
  const step = (name: string): void => options.report?.({ type: 'step', step: name });
  const pass = new WritePass(files, options);
  const sums = await writeAll(writing, pass, step).finally(() => pass.settled());
  step('bundle:written');
  await files.sync();
  step('bundle:synced');
  await files.rename((name) => step(`bundle:renamed:${name}`));
  return {
    files: files.names.map((path, i) => ({ path, size: files.sizes[i] ?? 0, sha256: sums[i] ?? '' })),
    bundleDigest: digestOf(writing.manifestBytes),
    written: pass.written,
  };
}

/** Answers the sha256 of each file. */
async function writeAll(writing: Writing, pass: WritePass, step: (name: string) => void): Promise<string[]> {
  const { manifest, manifestBytes, bodies, geometry, options } = writing;
  const whole = new Map([
    ...(await slotContents(writing)),
    [MANIFEST_PATH, manifestBytes],
    [CHUNK_TABLE_PATH, bodies.chunkTable],
  ]);
  const table = chunkTable(manifest, bodies.chunkTable);
  const entries = new Map(manifest.entries.map((entry) => [entry.path, entry]));
  const lastSlot = slotPath(manifest.signatureSlots - 1);
  for (const [i, { path, offset, size }] of geometry.frames.entries()) {
    const [gap, bytes, entry] = [geometry.gaps[i], whole.get(path), entries.get(path)];
    if (gap) await pass.fixed(gap.offset, gap.bytes);
    if (bytes) await pass.fixed(offset, bytes);
    else if (entry) await pass.body(entry, { offset, chunks: table.chunks(path), source: bodies.source });
    if (bytes && entry) options.report?.({ type: 'progress', bytes: size });
    if (path === lastSlot) step('bundle:front');
    if (entry) step('bundle:entry');
  }
  const trailer = geometry.gaps.at(-1);
  if (trailer) await pass.fixed(trailer.offset, trailer.bytes);
  return pass.finish();
}

/**
 * A signature that is there and good is kept: signing anew would change the file, and may need a person. It is made before
 * the bodies are written, so that a signer who refuses does so at once; until all is there the file has no final name.
 */
async function slotContents({
  manifest,
  manifestBytes,
  geometry,
  files,
  options,
}: Writing): Promise<[string, Buffer][]> {
  const read = (index: number): Promise<Buffer> => {
    const frame = geometry.frames[index];
    return files.read(frame?.offset ?? 0, frame?.size ?? 0);
  };
  const same = (await read(0)).equals(manifestBytes);
  const slots: [string, Buffer][] = [];
  for (let slot = 0; slot < manifest.signatureSlots; slot++) {
    const found = same ? (decodeSlot(await read(slot + 1)) ?? '') : '';
    const keep = slot > 0 || verifySignature(options.signer.publicKey, manifestBytes, found);
    slots.push([slotPath(slot), encodeSlot(keep ? found : await options.signer.sign(manifestBytes, options.signal))]);
  }
  return slots;
}
