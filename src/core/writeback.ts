// Written bytes on their way to the disk while more come in. A kernel with much memory keeps them until the file is synced,
// and then everybody waits for the disk; asked in time, it writes while we fetch and hash.
import type { FileHandle } from 'node:fs/promises';

/** So many bytes are worth a request to the disk. */
const BATCH = 32 * 1024 * 1024;

export class Writeback {
  readonly #file: Pick<FileHandle, 'datasync'>;
  #waiting = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(file: Pick<FileHandle, 'datasync'>) {
    this.#file = file;
  }

  /** Tells of bytes that were written. Never waits. */
  wrote(bytes: number): void {
    this.#waiting += bytes;
    if (this.#waiting < BATCH || this.#running) return;
    this.#waiting = 0;
    this.#running = this.#file
      .datasync()
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => (this.#running = undefined));
  }

  /** Waits for what was begun; the file still has to be synced. @throws what the disk said: it says so only once */
  async settle(): Promise<void> {
    await this.#running;
    if (this.#failure) throw this.#failure.error;
  }
}
