// Where the bodies of a bundle that is being written come from, and that what comes is what the chunk table says.
import { createHash } from 'node:crypto';
import { AirgapError } from '../core/errors.ts';
import type { ByteStream } from '../core/streams.ts';
import type { Chunk } from './chunk-table.ts';
import type { BundleEntry } from './manifest.ts';

export interface BodySource {
  /** The bytes of an entry from `start` on. */
  open(entry: BundleEntry, start: number): ByteStream;
}

/** The chunks of one body, in order; some may be left out. The source is opened where bytes are first needed. */
export class ChunkSource {
  readonly #entry: BundleEntry;
  readonly #source: BodySource;
  #stream: AsyncIterator<Uint8Array> | undefined;
  #position = 0;
  #rest: Uint8Array = Buffer.alloc(0);

  constructor(entry: BundleEntry, source: BodySource) {
    this.#entry = entry;
    this.#source = source;
  }

  /** Fills the beginning of `buffer`. @throws DIGEST_MISMATCH with details.digest */
  async read(chunk: Chunk, buffer: Buffer): Promise<Buffer> {
    if (!this.#stream || this.#position !== chunk.start) await this.#openAt(chunk.start);
    const bytes = buffer.subarray(0, chunk.size);
    const filled = await this.#fill(bytes);
    if (filled === chunk.size && matches(bytes, chunk)) return bytes;
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
    const stream = this.#stream;
    this.#stream = undefined;
    await stream?.return?.();
  }

  async #fill(bytes: Buffer): Promise<number> {
    let filled = 0;
    while (filled < bytes.byteLength) {
      if (this.#rest.byteLength === 0) {
        const next = await this.#stream?.next();
        if (!next || next.done === true) break;
        this.#rest = next.value;
      }
      const take = this.#rest.subarray(0, bytes.byteLength - filled);
      bytes.set(take, filled);
      filled += take.byteLength;
      this.#rest = this.#rest.subarray(take.byteLength);
    }
    this.#position += filled;
    return filled;
  }

  async #openAt(start: number): Promise<void> {
    await this.close();
    this.#stream = this.#source.open(this.#entry, start)[Symbol.asyncIterator]();
    this.#position = start;
    this.#rest = Buffer.alloc(0);
  }
}

/** Whether bytes are those of a chunk, length and all. */
export function matches(bytes: Uint8Array, chunk: Chunk): boolean {
  return bytes.byteLength === chunk.size && createHash('sha256').update(bytes).digest().equals(chunk.hash);
}
