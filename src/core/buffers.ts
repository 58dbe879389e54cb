// Memory that bytes pass through. It is shared with other threads, so that they hash bytes where they lie; the collector does not see
// it, so there is a stated amount of it: buffers are lent out of pools, given back, and waited for when all are out.
import { CHUNK_SIZE } from './chunks.ts';

/** Up to so many bytes take ordinary memory of their own. A socket takes in smaller pieces without saying when they are sent. */
export const SMALL = 64 * 1024;

/** A buffer in memory that other threads see: what lies there is hashed without being copied. */
export function sharedBuffer(size: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(size));
}

/**
 * Copies all of `bytes` into a buffer from `position` on; into shared memory, `set` goes word by word and takes four times as long.
 * @throws RangeError when there is no room for them
 */
export function copyInto(buffer: Buffer, bytes: Uint8Array, position: number): void {
  if (bytes.byteLength > 0) buffer.fill(bytes, position, position + bytes.byteLength);
}

/** A part of a pool that belongs to whoever was lent it, until it is given back. */
export class Loan {
  readonly #bytes: Buffer;
  readonly #back: () => void;
  #ended = false;

  constructor(bytes: Buffer, back: () => void) {
    this.#bytes = bytes;
    this.#back = back;
  }

  /** As many bytes as were wanted, whatever is in them. @throws Error when they were given back */
  get bytes(): Buffer {
    if (this.#ended) throw new Error('a buffer is used after it was given back');
    return this.#bytes;
  }

  /** @throws Error the second time: somebody else has the buffer by then */
  giveBack(): void {
    if (this.#ended) throw new Error('a buffer is given back twice');
    this.#ended = true;
    this.#back();
  }
}

export interface PoolSize {
  /** Bytes of each buffer. */
  readonly size: number;
  /** Buffers at most. Each is allocated when it is first needed, and kept. */
  readonly count: number;
}

/**
 * A bounded number of buffers. So that nobody waits for somebody who waits: `lend` is called by who holds no buffer of this
 * pool, and `tryLend` by who holds one.
 */
export class BufferPool {
  readonly #size: number;
  readonly #count: number;
  readonly #idle: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #allocated = 0;

  constructor({ size, count }: PoolSize) {
    this.#size = size;
    this.#count = count;
  }

  /** Buffers that take memory, lent or not. */
  get allocated(): number {
    return this.#allocated;
  }

  get lent(): number {
    return this.#allocated - this.#idle.length;
  }

  /** How many wait for a buffer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Room for `size` bytes, as soon as there is some: in the order of the calls. @throws the signal's reason */
  async lend(size: number, signal?: AbortSignal): Promise<Loan> {
    signal?.throwIfAborted();
    return this.tryLend(size) ?? this.#loan(await this.#wait(signal), size);
  }

  /** Room for `size` bytes, if there is some now. @throws RangeError for more than a buffer has */
  tryLend(size: number): Loan | undefined {
    if (size <= SMALL) return new Loan(Buffer.allocUnsafeSlow(size), () => undefined);
    if (size > this.#size) throw new RangeError(`${size} bytes are more than the ${this.#size} of a buffer`);
    const buffer = this.#idle.pop() ?? this.#allocate();
    return buffer && this.#loan(buffer, size);
  }

  #allocate(): Buffer | undefined {
    if (this.#allocated === this.#count) return undefined;
    this.#allocated++;
    return sharedBuffer(this.#size);
  }

  #loan(buffer: Buffer, size: number): Loan {
    return new Loan(buffer.subarray(0, size), () => {
      const next = this.#waiting.shift();
      if (next) next(buffer);
      else this.#idle.push(buffer);
    });
  }

  #wait(signal: AbortSignal | undefined): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const take = (buffer: Buffer): void => {
        signal?.removeEventListener('abort', leave);
        resolve(buffer);
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(signal?.reason as Error);
      };
      this.#waiting.push(take);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }
}

/** For chunks that are read to be moved or checked, whoever does it: 48 MiB for the whole process. */
export const chunkBuffers = new BufferPool({ size: CHUNK_SIZE, count: 12 });

/** Shared memory that is handed to others, and is theirs until `free`. */
export interface Stage {
  readonly bytes: Buffer;
  free: Promise<unknown>;
}

/** Three stages of one size, used in turn: for what there is once in a process. */
export class Stages {
  readonly #stages: readonly Stage[];
  #turn = 0;

  /** @param size bytes of each */
  constructor(size: number) {
    this.#stages = Array.from({ length: 3 }, () => ({ bytes: sharedBuffer(size), free: Promise.resolve() }));
  }

  /** The next one, once it is free. @throws what became of its `free` */
  async next(): Promise<Stage> {
    const stage = this.#stages[this.#turn++ % this.#stages.length];
    if (!stage) throw new Error('there are no stages');
    await stage.free;
    return stage;
  }

  /** When each is free, as it is handed over now. */
  get free(): Promise<unknown>[] {
    return this.#stages.map(({ free }) => free);
  }
}
