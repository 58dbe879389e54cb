// One pass over the files of a bundle, from front to back: what is there and right stays, the rest is written, and every file
// is hashed whole for SHA256SUMS. Writing a segment overlaps reading and hashing the next.
import { createHash, type Hash } from 'node:crypto';
import { CHUNK_SIZE } from '../core/chunks.ts';
import type { Activity } from '../core/events.ts';
import { ChunkSource, matches, type BodySource } from './chunk-source.ts';
import type { Chunk } from './chunk-table.ts';
import type { BundleEntry } from './manifest.ts';
import type { OutputFiles } from './output-files.ts';

export interface BodyPlace {
  /** Of the body in the bundle. */
  readonly offset: number;
  readonly chunks: Iterable<Chunk>;
  readonly source: BodySource;
}

export class WritePass {
  readonly #files: OutputFiles;
  readonly #activity: Activity;
  readonly #sums: Hash[];
  readonly #found = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  // one is filled while the other is written
  readonly #buffers = [Buffer.allocUnsafeSlow(CHUNK_SIZE), Buffer.allocUnsafeSlow(CHUNK_SIZE)] as const;
  #turn: 0 | 1 = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Body bytes written so far. */
  written = 0;

  constructor(files: OutputFiles, activity: Activity) {
    this.#files = files;
    this.#activity = activity;
    this.#sums = files.names.map(() => createHash('sha256'));
  }

  /** Bytes that are known as a whole; they must not change any more. */
  async fixed(position: number, bytes: Buffer): Promise<void> {
    const found = await this.#files.read(position, bytes.byteLength);
    if (!found.equals(bytes)) await this.#write(position, bytes);
    this.#sum(position, bytes);
  }

  /** @throws DIGEST_MISMATCH when the source does not give what the chunk hashes say */
  async body(entry: BundleEntry, place: BodyPlace): Promise<void> {
    const source = new ChunkSource(entry, place.source);
    try {
      for (const chunk of place.chunks) {
        this.#activity.signal?.throwIfAborted();
        await this.#chunk(source, chunk, place.offset + chunk.start);
        this.#activity.report?.({ type: 'progress', bytes: chunk.size });
      }
    } finally {
      await source.close();
    }
  }

  async #chunk(source: ChunkSource, chunk: Chunk, position: number): Promise<void> {
    const found = await this.#files.read(position, chunk.size, this.#found);
    if (matches(found, chunk)) {
      this.#sum(position, found);
      return;
    }
    const bytes = await source.read(chunk, this.#nextBuffer());
    await this.#write(position, bytes);
    this.#sum(position, bytes);
    this.written += chunk.size;
  }

  /** Waits for what is still being written, and answers the sha256 of each file in hexadecimal. The pass ends with it. */
  async finish(): Promise<string[]> {
    await this.#writing;
    return this.#sums.map((sum) => sum.digest('hex'));
  }

  #nextBuffer(): Buffer {
    this.#turn = this.#turn === 0 ? 1 : 0;
    return this.#buffers[this.#turn];
  }

  async #write(position: number, bytes: Buffer): Promise<void> {
    await this.#writing;
    this.#writing = this.#files.write(position, bytes);
    this.#writing.catch(() => undefined); // awaited by the next write or at the end
  }

  #sum(position: number, bytes: Buffer): void {
    let offset = 0;
    for (const part of this.#files.parts(position, bytes.byteLength)) {
      this.#sums[part.file]?.update(bytes.subarray(offset, offset + part.length));
      offset += part.length;
    }
  }
}
