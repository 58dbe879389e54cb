// Writing a bundle. Everything in it is known before the first byte is written (bundle.json, chunk hashes, offsets), so the
// file is a list of segments with one right content each: what is there and right stays, the rest is written. That is all
// there is to resuming.
import { createHash, type Hash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK_SIZE } from '../core/chunks.ts';
import { digestOf, type Digest } from '../core/digest.ts';
import { AirgapError, fileError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { tryLock, type ProcessIdentity } from '../core/file-lock.ts';
import type { ByteStream } from '../core/streams.ts';
import type { Signer } from '../signing/signer.ts';
import { verifySignature } from '../signing/signature.ts';
import { chunkTable, type Chunk } from './chunk-table.ts';
import { geometryOf, MANIFEST_PATH, type Geometry } from './geometry.ts';
import { encodeBundleManifest, type BundleEntry, type BundleManifest } from './manifest.ts';
import { openOutput, type OutputFiles } from './output-files.ts';
import { decodeSlot, encodeSlot, SLOT_SIZE, slotPath } from './slots.ts';

export interface BodySource {
  /** The bytes of an entry from `start` on. */
  open(entry: BundleEntry, start: number): ByteStream;
}

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

/** One pass over the bundle from front to back. Writing a segment overlaps reading and hashing the next. */
class WritePass {
  readonly files: OutputFiles;
  readonly geometry: Geometry;
  readonly #options: WriteBundleOptions;
  readonly #sums: Hash[];
  #writing: Promise<void> = Promise.resolve();
  readonly #found = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  // one is filled while the other is written
  readonly #buffers = [Buffer.allocUnsafeSlow(CHUNK_SIZE), Buffer.allocUnsafeSlow(CHUNK_SIZE)] as const;
  #turn: 0 | 1 = 0;
  written = 0;

  constructor(files: OutputFiles, geometry: Geometry, options: WriteBundleOptions) {
    this.files = files;
    this.geometry = geometry;
    this.#options = options;
    this.#sums = files.names.map(() => createHash('sha256'));
  }

  async fixed(position: number, bytes: Buffer): Promise<void> {
    const found = await this.files.read(position, bytes.byteLength);
    if (!found.equals(bytes)) await this.#write(position, bytes);
    this.#sum(position, bytes);
  }

  async body(entry: BundleEntry, from: { offset: number; chunks: Iterable<Chunk>; source: BodySource }): Promise<void> {
    const reader = new ChunkSource(entry, from.source);
    try {
      for (const chunk of from.chunks) {
        this.#options.signal?.throwIfAborted();
        const position = from.offset + chunk.start;
        const found = await this.files.read(position, chunk.size, this.#found);
        const kept = found.byteLength === chunk.size && sha256(found).equals(chunk.hash);
        const bytes = kept ? found : await reader.read(chunk, this.#nextBuffer());
        if (!kept) {
          await this.#write(position, bytes);
          this.written += chunk.size;
        }
        this.#sum(position, bytes);
        this.#options.report?.({ type: 'progress', bytes: chunk.size });
      }
    } finally {
      await reader.close();
    }
  }

  #nextBuffer(): Buffer {
    this.#turn = this.#turn === 0 ? 1 : 0;
    return this.#buffers[this.#turn];
  }

  async settle(): Promise<void> {
    await this.#writing;
  }

  /** The files with their hashes; the pass ends with it. */
  finish(): WrittenFile[] {
    return this.files.names.map((path, i) => ({
      path,
      size: this.files.sizes[i] ?? 0,
      sha256: this.#sums[i]?.digest('hex') ?? '',
    }));
  }

  async #write(position: number, bytes: Buffer): Promise<void> {
    await this.#writing;
    this.#writing = this.files.write(position, bytes);
    this.#writing.catch(() => undefined); // awaited by the next write or at the end
  }

  #sum(position: number, bytes: Buffer): void {
    let offset = 0;
    for (const part of this.files.parts(position, bytes.byteLength)) {
      this.#sums[part.file]?.update(bytes.subarray(offset, offset + part.length));
      offset += part.length;
    }
  }
}

/** The chunks of one body, opened where they are first needed. */
class ChunkSource {
  readonly #entry: BundleEntry;
  readonly #source: BodySource;
  #stream: AsyncIterator<Uint8Array> | undefined;
  #position = 0;
  #rest: Uint8Array = Buffer.alloc(0);

  constructor(entry: BundleEntry, source: BodySource) {
    this.#entry = entry;
    this.#source = source;
  }

  /** Fills the beginning of `buffer`. @throws DIGEST_MISMATCH */
  async read(chunk: Chunk, buffer: Buffer): Promise<Buffer> {
    if (!this.#stream || this.#position !== chunk.start) await this.#openAt(chunk.start);
    const bytes = buffer.subarray(0, chunk.size);
    let filled = 0;
    while (filled < chunk.size) {
      if (this.#rest.byteLength === 0) {
        const next = await this.#stream?.next();
        if (!next || next.done === true) break;
        this.#rest = next.value;
      }
      const take = this.#rest.subarray(0, chunk.size - filled);
      bytes.set(take, filled);
      filled += take.byteLength;
      this.#rest = this.#rest.subarray(take.byteLength);
    }
    this.#position = chunk.start + filled;
    if (filled === chunk.size && sha256(bytes).equals(chunk.hash)) return bytes;
    throw new AirgapError(
      'DIGEST_MISMATCH',
      `${this.#entry.digest} is not what its chunk hashes say, from byte ${chunk.start}`,
      {
        hint: 'Run the same command again: the damaged copy is fetched anew.',
        details: { digest: this.#entry.digest, start: chunk.start, size: chunk.size },
      },
    );
  }

  async close(): Promise<void> {
    await this.#stream?.return?.();
    this.#stream = undefined;
  }

  async #openAt(start: number): Promise<void> {
    await this.close();
    this.#stream = this.#source.open(this.#entry, start)[Symbol.asyncIterator]();
    this.#position = start;
    this.#rest = Buffer.alloc(0);
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
