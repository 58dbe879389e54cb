// Where the bodies of a bundle that is being written come from.
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

  /** Fills the beginning of `buffer`; fewer bytes when the source ends. They are not checked yet. */
  async read(chunk: Chunk, buffer: Buffer): Promise<Buffer> {
    if (!this.#stream || this.#position !== chunk.start) await this.#openAt(chunk.start);
    const bytes = buffer.subarray(0, chunk.size);
    return bytes.subarray(0, await this.#fill(bytes));
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
