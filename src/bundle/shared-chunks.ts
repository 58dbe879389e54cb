// Chunks for many readers at once, who may be slow, or stop. Nobody holds a chunk: each reader copies the next slice out of it, and
// a chunk that was not used for longest makes room for one that is wanted. Whoever comes back to a chunk that is gone has it read
// and checked again, so that memory does not grow with readers, and none waits for another one's network.
import { BufferPool, SMALL, type Loan, type PoolSize } from '../core/buffers.ts';
import { CHUNK_SIZE } from '../core/chunks.ts';
import { Semaphore, untilAborted } from '../core/pool.ts';
import type { Borrowed } from '../core/streams.ts';
import { damagedChunk, type ChunkReader } from './chunk-reader.ts';
import type { Chunk } from './chunk-table.ts';
import type { BundleEntry } from './manifest.ts';

/** Bytes that a reader copies at a time, and keeps until its socket took them: while readers are few, and in a crowd. */
export const SLICE = 64 * 1024;
const CROWD_SLICE = 8 * 1024;
const CROWD = 32;

/** 20 MiB for all readers. */
const HELD: PoolSize = { size: CHUNK_SIZE, count: 5 };
/** Small chunks are not held: each reader has them read for itself, so many at a time. */
const SMALL_READS = 8;

/** Milliseconds: a chunk that nobody took a slice of for so long may go when another one is wanted, … */
const IDLE = 30;
/** … and one that was there for so long in any case. */
const TERM = 1000;
const LOOK = 10;

export interface SharedRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** What a reader waits for is not read any more when nobody else waits for it. */
  readonly signal?: AbortSignal | undefined;
}

interface Held {
  readonly loaded: Promise<Buffer>;
  readonly stop: AbortController;
  /** Readers that wait for it. */
  waiting: number;
  /** Milliseconds, of its last use. */
  used: number;
  /** Once it is read and checked. */
  ready?: { readonly bytes: Buffer; readonly loan: Loan; readonly since: number };
}

export class SharedChunks {
  readonly #chunks: ChunkReader;
  readonly #buffers: BufferPool;
  readonly #signal: AbortSignal | undefined;
  /** In the order of their last use. */
  readonly #held = new Map<string, Held>();
  readonly #small = new Semaphore(SMALL_READS);
  #readers = 0;
  #looking: NodeJS.Timeout | undefined;

  /** @param options.signal ends all reading */
  constructor(
    chunks: ChunkReader,
    options: { buffers?: BufferPool | undefined; signal?: AbortSignal | undefined } = {},
  ) {
    this.#chunks = chunks;
    this.#buffers = options.buffers ?? new BufferPool(HELD);
    this.#signal = options.signal;
    options.signal?.addEventListener('abort', () => {
      for (const { stop } of this.#held.values()) stop.abort(options.signal?.reason);
    });
  }

  /** The bytes of a range, in slices. @throws BUNDLE_CORRUPT, IO_FAILED, the signal's reason */
  async *read(entry: BundleEntry, range: SharedRange): AsyncGenerator<Borrowed> {
    const slice = Buffer.allocUnsafeSlow(
      Math.min(this.#readers < CROWD ? SLICE : CROWD_SLICE, range.end - range.start),
    );
    this.#readers++;
    try {
      for (const chunk of this.#chunks.of(entry, range.start)) {
        if (chunk.start >= range.end) return;
        const end = Math.min(range.end, chunk.start + chunk.size);
        if (end < range.end) this.#readAhead(entry, chunk);
        for (let at = Math.max(range.start, chunk.start); at < end;) {
          const wanted = { start: at - chunk.start, end: Math.min(end, at + slice.byteLength) - chunk.start };
          yield { bytes: await this.#copy({ entry, chunk }, wanted, { slice, signal: range.signal }) };
          at += wanted.end - wanted.start;
        }
      }
    } finally {
      this.#readers--;
    }
  }

  async #copy(
    of: Place,
    { start, end }: { start: number; end: number },
    { slice, signal }: { slice: Buffer; signal: AbortSignal | undefined },
  ): Promise<Buffer> {
    this.#signal?.throwIfAborted();
    const copy = (bytes: Buffer): Buffer => slice.subarray(0, bytes.copy(slice, 0, start, end));
    if (of.chunk.size <= SMALL) return copy(await this.#small.run(() => this.#checked(of)));
    const held = this.#use(of);
    if (held.ready) return copy(held.ready.bytes); // at once: it may be gone later
    held.waiting++;
    try {
      return copy(await untilAborted(held.loaded, signal));
    } finally {
      this.#leave(of, held);
    }
  }

  /** The chunk, which is now the one used last. */
  #use(of: Place): Held {
    const key = keyOf(of);
    const held = this.#held.get(key) ?? this.#begin(of);
    this.#held.delete(key);
    this.#held.set(key, held);
    held.used = performance.now();
    return held;
  }

  /** Only while readers are few: they would take each other's room. */
  #readAhead(entry: BundleEntry, { start, size }: Chunk): void {
    if (this.#readers > 3) return;
    const [next] = this.#chunks.of(entry, start + size);
    if (next && next.size > SMALL) this.#use({ entry, chunk: next });
  }

  #begin(of: Place): Held {
    const { promise: loaded, resolve, reject } = Promise.withResolvers<Buffer>();
    const held: Held = { loaded, stop: new AbortController(), waiting: 0, used: performance.now() };
    loaded.catch(() => undefined); // thrown to those who wait for it; without any, the next one reads it again
    this.#load(of, held).then(resolve, reject);
    return held;
  }

  async #load(of: Place, held: Held): Promise<Buffer> {
    const { signal } = held.stop;
    let loan: Loan | undefined;
    try {
      const lending = this.#buffers.lend(of.chunk.size, signal);
      this.#makeRoom();
      loan = await lending;
      const bytes = await this.#checked(of, loan.bytes);
      signal.throwIfAborted();
      held.used = performance.now();
      held.ready = { bytes, loan, since: held.used };
      return bytes;
    } catch (error) {
      this.#forget(of, held);
      loan?.giveBack();
      throw error;
    }
  }

  async #checked({ entry, chunk }: Place, into?: Buffer): Promise<Buffer> {
    const bytes = await this.#chunks.read(entry, chunk, into);
    if (!bytes) throw damagedChunk(this.#chunks, entry, chunk);
    return bytes;
  }

  #leave(of: Place, held: Held): void {
    held.waiting--;
    if (held.waiting > 0) return;
    if (held.ready) this.#makeRoom();
    else {
      this.#forget(of, held);
      held.stop.abort();
    }
  }

  #forget(of: Place, held: Held): void {
    if (this.#held.get(keyOf(of)) === held) this.#held.delete(keyOf(of));
  }

  /** A chunk that is not in use any more, or was for its term, makes room for one that is wanted. */
  #makeRoom(): void {
    if (this.#looking !== undefined) return;
    const now = performance.now();
    for (const [key, { ready, waiting, used }] of this.#held) {
      if (this.#buffers.waiting === 0) return;
      if (!ready || waiting > 0 || (now - used < IDLE && now - ready.since < TERM)) continue;
      this.#held.delete(key);
      ready.loan.giveBack();
    }
    if (this.#buffers.waiting === 0) return;
    this.#looking = setTimeout(() => {
      this.#looking = undefined;
      this.#makeRoom();
    }, LOOK);
  }
}

interface Place {
  readonly entry: BundleEntry;
  readonly chunk: Chunk;
}

function keyOf({ entry, chunk }: Place): string {
  return `${entry.path} ${chunk.index}`;
}
