// How an upload is cut: in one piece or in chunks, and how large they are. Learns from what fails.

export interface UploadSizes {
  /** Bytes of one PATCH. */
  readonly chunkSize: number;
  /** Larger blobs are sent in chunks. */
  readonly chunkThreshold: number;
}

/** No registry or proxy needs chunks smaller than this. */
const SMALLEST = 64 * 1024;
const SMALLEST_AFTER_CUTS = 1024 * 1024;

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

  /** The connection was cut. Some proxies refuse large requests so, without a word; once is an accident. */
  cut(): void {
    if (++this.#cuts < 2) return;
    if (this.chunked) this.#size = Math.max(Math.min(this.#size, SMALLEST_AFTER_CUTS), Math.ceil(this.#size / 2));
    this.chunked = true;
  }

  /** A piece arrived. */
  arrived(): void {
    this.#cuts = 0;
  }

  get canBeWhole(): boolean {
    return !this.#limited;
  }
}
