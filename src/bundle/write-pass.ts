// One pass over a bundle that is written: each segment has one right content, so what is there and right stays and the rest
// is written. Writing a segment overlaps reading and hashing the next.
import { createHash, type Hash } from 'node:crypto';
import { CHUNK_SIZE } from '../core/chunks.ts';
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import type { ByteStream } from '../core/streams.ts';
import type { Chunk } from './chunk-table.ts';
import type { Geometry } from './geometry.ts';
import type { BundleEntry } from './manifest.ts';
import type { OutputFiles } from './output-files.ts';

export interface BodySource {
  /** The bytes of an entry from `start` on. */
  open(entry: BundleEntry, start: number): ByteStream;
}

export interface WrittenFile {
  /** Name in the folder. */
  readonly path: string;
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** From front to back, each segment once. */
export class WritePass {
  readonly files: OutputFiles;
  readonly geometry: Geometry;
  readonly #options: Activity;
  readonly #sums: Hash[];
  #writing: Promise<void> = Promise.resolve();
  readonly #found = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  // one is filled while the other is written
  readonly #buffers = [Buffer.allocUnsafeSlow(CHUNK_SIZE), Buffer.allocUnsafeSlow(CHUNK_SIZE)] as const;
  #turn: 0 | 1 = 0;
  written = 0;

  constructor(files: OutputFiles, geometry: Geometry, options: Activity) {
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
