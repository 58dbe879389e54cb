// Standard output and standard error may fail while the work goes well: the reader has gone, the disk is full, the terminal was
// closed. The work never stops for that; what could not be written is noted here.
import type { Writable } from 'node:stream';
import { AirgapError, fileError, systemErrorCode } from '../core/errors.ts';

/** What writing fails with where nobody wants to read any more: no error. ERR_STREAM_DESTROYED is said of whatever is written after it. */
const READER_IS_GONE = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

export class Outlet {
  readonly #stream: Writable;
  readonly #name: string;
  #failure: Error | undefined;

  /** @param name as in an error: "standard output" */
  constructor(stream: Writable, name: string) {
    this.#stream = stream;
    this.#name = name;
    stream.on('error', (error) => (this.#failure ??= error));
  }

  write(text: string): void {
    this.#stream.write(text);
  }

  /** Writes bytes as fast as they are taken; ends early where they no longer can be written. */
  async writeAll(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of bytes) {
      await new Promise<void>((resolve) => this.#stream.write(chunk, () => resolve()));
      if (this.#failure !== undefined) return;
    }
  }

  /** Resolves when everything is written, or cannot be: then with the reason, if it is another than a reader that has gone. */
  async settled(): Promise<AirgapError | undefined> {
    if (!this.#stream.destroyed) await new Promise<void>((resolve) => this.#stream.write('', () => resolve()));
    const failure = this.#failure;
    if (failure === undefined || READER_IS_GONE.includes(systemErrorCode(failure) ?? '')) return undefined;
    const error = fileError(failure, 'write to', this.#name);
    return error instanceof AirgapError
      ? error
      : new AirgapError('IO_FAILED', `cannot write to ${this.#name}: ${failure.message}`, { cause: failure });
  }
}
