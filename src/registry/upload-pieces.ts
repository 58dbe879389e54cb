// How an upload is cut: in one piece or in chunks, and how large they are. Learns from what fails.

export interface UploadSizes {
  /** Bytes of one PATCH. */
  readonly chunkSize: number;
  /** Larger blobs are sent in chunks. */
  readonly chunkThreshold: number;
}

/** No registry or proxy needs chunks smaller than this; on a bad line they stay larger. */
const SMALLEST = 64 * 1024;
const SMALLEST_FOR_BAD_LINES = 1024 * 1024;

export class UploadPieces {
  readonly #total: number;
  #size: number;
  /** One piece was too large for someone on the way. */
  #limited = false;
  #cuts = 0;
  chunked: boolean;

  constructor(total: number, sizes: UploadSizes) {
    this.#total = total;
    this.#size = sizes.chunkSize;
    this.chunked = total > sizes.chunkThreshold;
  }

  /** One past the last byte of the chunk that begins at `start`; `minimum` is what the registry wants a chunk to have. */
  end(start: number, minimum: number): number {
    return Math.min(this.#total, start + Math.max(this.#size, minimum));
  }

  /** A piece was refused for its size (413). False when smaller ones would not help. */
  tooLarge(): boolean {
    const tried = this.chunked ? this.#size : Math.min(this.#size * 2, this.#total);
    if (tried <= SMALLEST) return false;
    this.#size = Math.max(SMALLEST, Math.ceil(tried / 2));
    this.chunked = true;
    this.#limited = true;
    return true;
  }

  /** The connection was cut: with smaller pieces less is lost, and some proxies refuse large ones without a word. */
  cut(): void {
    if (this.chunked) this.#size = Math.max(Math.min(this.#size, SMALLEST_FOR_BAD_LINES), Math.ceil(this.#size / 2));
    else if (++this.#cuts >= 2) this.chunked = true;
  }

  get canBeWhole(): boolean {
    return !this.#limited;
  }
}
