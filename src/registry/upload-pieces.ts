// How an upload is cut: in one piece or in chunks, and how large they are. A chunk is what a kill can cost, and each has its
// price: registries sync what they got before they answer. So a chunk is what goes in two seconds. Learns from what fails.

export interface UploadSizes {
  /** Bytes of the first PATCH. */
  readonly chunkSize: number;
  /** Larger blobs are sent in chunks. */
  readonly chunkThreshold: number;
  /** No chunk gets larger than this, however fast it goes. */
  readonly largestChunk: number;
}

/** Milliseconds that a chunk should take. */
const WORTH_LOSING = 2000;
/** No registry or proxy needs chunks smaller than this. */
const SMALLEST = 64 * 1024;
const SMALLEST_AFTER_CUTS = 1024 * 1024;
/** Slowness alone makes them no smaller than this. */
const SMALLEST_WHEN_SLOW = 8 * 1024 * 1024;

export class UploadPieces {
  readonly #total: number;
  readonly #sizes: UploadSizes;
  #size: number;
  /** One piece was too large for someone on the way. */
  #limited = false;
  /** Connections with larger ones were cut. */
  #fragile = false;
  #cuts = 0;
  chunked: boolean;

  constructor(total: number, sizes: UploadSizes) {
    this.#total = total;
    this.#sizes = sizes;
    this.#size = sizes.chunkSize;
    this.chunked = total > sizes.chunkThreshold;
  }

  /** One past the last byte of the chunk that begins at `start`; `minimum` is what the registry wants a chunk to have. */
  end(start: number, minimum: number): number {
    return Math.min(this.#total, start + Math.max(this.#size, minimum));
  }

  /** A piece arrived. */
  arrived(): void {
    this.#cuts = 0;
  }

  /** A chunk of so many bytes took so many milliseconds. Never larger again than what was refused or cut. */
  took(bytes: number, milliseconds: number): void {
    if (milliseconds <= 0) return;
    const { chunkSize, largestChunk } = this.#sizes;
    const least = Math.min(this.#size, SMALLEST_WHEN_SLOW);
    const most = this.#limited || this.#fragile ? this.#size : Math.max(chunkSize, largestChunk);
    this.#size = Math.min(most, Math.max(least, Math.round((bytes * WORTH_LOSING) / milliseconds)));
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
    this.#fragile = true;
  }

  /** Whether smaller chunks would not be taken either, where these are not. */
  get isSmallest(): boolean {
    return this.chunked && this.#size <= SMALLEST;
  }

  get canBeWhole(): boolean {
    return !this.#limited;
  }
}
