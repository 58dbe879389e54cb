// Many files of which few are open: a process may have few descriptors, and a bundle any number of volumes.
import type { FileHandle } from 'node:fs/promises';
import { Semaphore } from './pool.ts';

/** So many at a time are enough to keep a disk busy. */
export const MOST_OPEN_FILES = 8;

export interface OpenFilesOptions<K> {
  readonly open: (key: K) => Promise<FileHandle>;
  /** Called instead of closing the file, which it must do. */
  readonly close?: (key: K, file: FileHandle) => Promise<void>;
  /** MOST_OPEN_FILES by default. */
  readonly most?: number;
}

interface Lent {
  readonly file: Promise<FileHandle>;
  users: number;
}

/** Files by a key, opened when they are wanted. Those used last stay open. */
export class OpenFiles<K> {
  readonly #options: OpenFilesOptions<K>;
  readonly #most: number;
  readonly #turns: Semaphore;
  /** In the order of their last use. */
  readonly #lent = new Map<K, Lent>();

  constructor(options: OpenFilesOptions<K>) {
    this.#options = options;
    this.#most = options.most ?? MOST_OPEN_FILES;
    this.#turns = new Semaphore(this.#most);
  }

  /** Waits for a turn where too many are in use. The file must not be used after the task. @throws what opening or the task throws */
  use<T>(key: K, task: (file: FileHandle) => Promise<T>): Promise<T> {
    return this.#turns.run(async () => {
      const lent = this.#lend(key);
      try {
        return await task(await lent.file);
      } finally {
        lent.users--;
      }
    });
  }

  /** Only when none is in use. @throws the first failure, when all are closed */
  async close(): Promise<void> {
    const closing = [...this.#lent.keys()].map((key) => this.#shut(key));
    await Promise.allSettled(closing);
    await Promise.all(closing);
  }

  #lend(key: K): Lent {
    const known = this.#lent.get(key);
    const lent = known ?? { users: 0, file: this.#makeRoom().then(() => this.#options.open(key)) };
    if (!known)
      lent.file.catch(() => {
        if (this.#lent.get(key) === lent) this.#lent.delete(key);
      });
    lent.users++;
    this.#lent.delete(key);
    this.#lent.set(key, lent);
    return lent;
  }

  /** At least one of those that are open is idle: no more are used than may be open. */
  async #makeRoom(): Promise<void> {
    const idle = [...this.#lent].filter(([, { users }]) => users === 0).map(([key]) => key);
    const closing = idle.slice(0, Math.max(0, this.#lent.size + 1 - this.#most)).map((key) => this.#shut(key));
    await Promise.all(closing);
  }

  async #shut(key: K): Promise<void> {
    const lent = this.#lent.get(key);
    this.#lent.delete(key);
    const file = await lent?.file.catch(() => undefined); // whoever wanted it was told
    if (file) await (this.#options.close?.(key, file) ?? file.close());
  }
}
