// Writing a bundle. Everything in it is known before the first byte is written (bundle.json, chunk hashes, offsets), so the
// file is a list of segments with one right content each: what is there and right stays, the rest is written. That is all
// there is to resuming.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, type Digest } from '../core/digest.ts';
import { AirgapError, fileError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { tryLock, type ProcessIdentity } from '../core/file-lock.ts';
import type { Signer } from '../signing/signer.ts';
import { verifySignature } from '../signing/signature.ts';
import { chunkTable } from './chunk-table.ts';
import { geometryOf, MANIFEST_PATH } from './geometry.ts';
import { encodeBundleManifest, type BundleManifest } from './manifest.ts';
import { openOutput } from './output-files.ts';
import { decodeSlot, encodeSlot, SLOT_SIZE, slotPath } from './slots.ts';
import { WritePass, type BodySource, type WrittenFile } from './write-pass.ts';

export interface Bodies {
  readonly chunkTable: Buffer;
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
}

export interface WrittenBundle {
  readonly files: readonly WrittenFile[];
  readonly bundleDigest: Digest;
  /** Body bytes really written this time; what was there and right is not written again. */
  readonly written: number;
}

/**
 * Killed anywhere and called again, it goes on; called for a bundle that is there already, it only checks it.
 * @throws DIGEST_MISMATCH with details.digest when a body is not what its chunk hashes say, DISK_FULL, IO_FAILED, STORE_BUSY, SIGNER_FAILED
 */
export async function writeBundle(
  manifest: BundleManifest,
  bodies: Bodies,
  options: WriteBundleOptions,
): Promise<WrittenBundle> {
  const manifestBytes = encodeBundleManifest(manifest);
  const geometry = geometryOf(manifestBytes.byteLength, manifest);
  await mkdir(options.folder, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, 'make', options.folder);
  });
  const unlock = await lockOutput(options);
  try {
    const files = await openOutput({ ...options, size: geometry.size });
    try {
      const pass = new WritePass(files, geometry, options);
      await writeAll({ manifest, manifestBytes, bodies, pass, options });
      await files.commit((name) => options.report?.({ type: 'step', step: `bundle:renamed:${name}` }));
      return { files: pass.finish(), bundleDigest: digestOf(manifestBytes), written: pass.written };
    } finally {
      await files.close();
    }
  } finally {
    await unlock();
  }
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
  readonly pass: WritePass;
  readonly options: WriteBundleOptions;
}

async function writeAll({ manifest, manifestBytes, bodies, pass, options }: Writing): Promise<void> {
  const slots = await slotContents({ manifest, manifestBytes, pass, options });
  const table = chunkTable(manifest, bodies.chunkTable);
  const entries = new Map(manifest.entries.map((entry) => [entry.path, entry]));
  const { frames, gaps } = pass.geometry;
  for (const [i, frame] of frames.entries()) {
    await pass.fixed(gaps[i]?.offset ?? 0, gaps[i]?.bytes ?? Buffer.alloc(0));
    const entry = entries.get(frame.path);
    if (frame.path === MANIFEST_PATH) await pass.fixed(frame.offset, manifestBytes);
    else if (!entry) await pass.fixed(frame.offset, slots.get(frame.path) ?? encodeSlot(''));
    else if (entry.path === 'chunks') await pass.fixed(frame.offset, bodies.chunkTable);
    else await pass.body(entry, { offset: frame.offset, chunks: table.chunks(entry.path), source: bodies.source });
    if (frame.path === slotPath(manifest.signatureSlots - 1)) options.report?.({ type: 'step', step: 'bundle:front' });
    if (entry) options.report?.({ type: 'step', step: 'bundle:entry' });
  }
  const trailer = gaps.at(-1);
  if (trailer) await pass.fixed(trailer.offset, trailer.bytes);
  await pass.settle();
  options.report?.({ type: 'step', step: 'bundle:written' });
}

/** A signature that is there and good is kept: signing anew would change the file, and may need a person. */
async function slotContents({
  manifest,
  manifestBytes,
  pass,
  options,
}: Omit<Writing, 'bodies'>): Promise<Map<string, Buffer>> {
  const slots = new Map<string, Buffer>();
  const front = pass.geometry.frames[0];
  const same = front !== undefined && (await pass.files.read(front.offset, front.size)).equals(manifestBytes);
  for (let slot = 0; slot < manifest.signatureSlots; slot++) {
    const path = slotPath(slot);
    const frame = pass.geometry.frames[slot + 1];
    const found = same && frame ? decodeSlot(await pass.files.read(frame.offset, SLOT_SIZE)) : undefined;
    const keep =
      slot === 0
        ? found !== undefined && verifySignature(options.signer.publicKey, manifestBytes, found)
        : found !== undefined;
    const signature = keep ? (found ?? '') : slot === 0 ? await options.signer.sign(manifestBytes, options.signal) : '';
    slots.set(path, encodeSlot(signature));
  }
  return slots;
}
