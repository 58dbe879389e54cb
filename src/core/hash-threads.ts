// sha256 on other threads. Bytes have to be in memory that both threads see, or are copied there; a task is a message that they
// are there, and its answer that they are taken in. A thread works through its tasks in order. docs/performance.md has what this gave.
import type { createHash, Hash } from 'node:crypto';
import { Worker, type MessagePort } from 'node:worker_threads';
import { copyInto, Stages, type Stage } from './buffers.ts';
import { hashingHere, type Hashing, type RunningHash } from './hashing.ts';

/** What measured best for build and load; more take memory and give nothing beside the thread that moves the bytes. */
export const HASH_THREADS = 1;

/** Passing a message costs about as much as hashing so many bytes. */
const WORTHWHILE = 128 * 1024;
const STAGE_SIZE = 1024 * 1024;

interface Task {
  /** Tasks of one number are one hash. */
  readonly hash: number;
  readonly bytes?: Uint8Array;
  /** Asks for the digest, and ends the hash. */
  readonly last: boolean;
}

export class HashThreads implements Hashing {
  readonly #count: number;
  readonly #threads: HashThread[] = [];

  /** Threads are started when there is something worthwhile to hash. */
  constructor(count: number) {
    this.#count = count;
  }

  async sha256(bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.byteLength < WORTHWHILE) return hashingHere.sha256(bytes);
    const thread = this.#idlest();
    if (!thread.isReady) return hashingHere.sha256(bytes); // starting one takes as long as hashing 80 MiB
    if (isShared(bytes)) return thread.sha256(bytes);
    const running = thread.begin();
    await running.update([bytes]);
    return running.digest();
  }

  begin(size = Infinity): RunningHash {
    return size < WORTHWHILE ? hashingHere.begin() : this.#idlest().begin();
  }

  /** Ends the threads; what is still being hashed fails. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }

  #idlest(): HashThread {
    if (this.#threads.length < this.#count && this.#threads.every((thread) => thread.load > 0))
      this.#threads.push(new HashThread());
    return this.#threads.reduce((idlest, thread) => (thread.load < idlest.load ? thread : idlest));
  }
}

class HashThread {
  readonly #worker: Worker;
  /** Each is the other thread's from a task to its answer. */
  readonly #stages = new Stages(STAGE_SIZE);
  /** Bytes are handed over in the order of the calls. */
  #handing: Promise<void> = Promise.resolve();
  /** Of the tasks under way, in order. */
  readonly #answers: PromiseWithResolvers<Uint8Array | undefined>[] = [];
  #hashes = 0;
  #failure: Error | undefined;
  /** Hashes begun and not ended. */
  load = 0;
  isReady = false;

  constructor() {
    // the code travels as text: a program that is one file has no second one to start a thread from
    const code = `(${work.toString()})(require('node:worker_threads').parentPort, require('node:crypto').createHash)`;
    this.#worker = new Worker(code, { eval: true, name: 'sha256', execArgv: [], env: {} });
    this.#worker.unref();
    this.#worker.on('online', () => (this.isReady = true));
    this.#worker.on('message', (digest: Uint8Array | undefined) => this.#answered(digest));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the hashing thread ended')));
  }

  begin(): RunningHash {
    const hash = this.#hashes++;
    this.load++;
    return {
      update: async (pieces) => {
        const handed = this.#handing.then(() => this.#hand(hash, pieces));
        this.#handing = handed.then(() => undefined);
        this.#handing.catch(() => undefined); // told to whoever waits for this call, or for the digest
        await (
          await handed
        ).taken;
      },
      digest: async () => {
        await this.#handing;
        this.load--;
        return this.#last({ hash, last: true });
      },
    };
  }

  /** @param bytes in shared memory */
  async sha256(bytes: Uint8Array): Promise<Uint8Array> {
    this.load++;
    try {
      return await this.#last({ hash: this.#hashes++, bytes, last: true });
    } finally {
      this.load--;
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Resolves when the pieces are handed over; `taken` when none of them is needed any more. */
  async #hand(hash: number, pieces: readonly Uint8Array[]): Promise<{ readonly taken: Promise<unknown> }> {
    const taken: Promise<unknown>[] = [];
    let stage: Stage | undefined;
    let filled = 0;
    const flush = (): void => {
      if (stage) stage.free = this.#ask({ hash, bytes: stage.bytes.subarray(0, filled), last: false });
      stage = undefined;
      filled = 0;
    };
    for (const piece of pieces) {
      if (isShared(piece)) {
        flush();
        taken.push(this.#ask({ hash, bytes: piece, last: false }));
        continue;
      }
      for (let at = 0; at < piece.byteLength;) {
        stage ??= await this.#stages.next();
        const part = piece.subarray(at, at + STAGE_SIZE - filled);
        copyInto(stage.bytes, part, filled);
        filled += part.byteLength;
        at += part.byteLength;
        if (filled === STAGE_SIZE) flush();
      }
    }
    flush();
    const all = Promise.all(taken);
    all.catch(() => undefined); // awaited by the caller of update, or failing its digest
    return { taken: all };
  }

  async #last(task: Task): Promise<Uint8Array> {
    const digest = await this.#ask(task);
    if (!digest) throw new Error('the hashing thread gave no digest');
    return digest;
  }

  #ask(task: Task): Promise<Uint8Array | undefined> {
    const answer = Promise.withResolvers<Uint8Array | undefined>();
    answer.promise.catch(() => undefined); // a task without an answer fails the next call
    if (this.#failure) answer.reject(this.#failure);
    else {
      this.#answers.push(answer);
      if (this.#answers.length === 1) this.#worker.ref();
      this.#worker.postMessage(task);
    }
    return answer.promise;
  }

  #answered(digest: Uint8Array | undefined): void {
    this.#answers.shift()?.resolve(digest);
    if (this.#answers.length === 0) this.#worker.unref();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const answer of this.#answers.splice(0)) answer.reject(this.#failure);
  }
}

function isShared({ buffer }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer;
}

/** What a thread runs. It becomes text, so it knows nothing but its parameters. */
function work(port: MessagePort, newHash: typeof createHash): void {
  const hashes = new Map<number, Hash>();
  port.on('message', ({ hash, bytes, last }: Task) => {
    const state = hashes.get(hash) ?? newHash('sha256');
    if (bytes) state.update(bytes);
    if (last) hashes.delete(hash);
    else hashes.set(hash, state);
    port.postMessage(last ? state.digest() : undefined);
  });
}
