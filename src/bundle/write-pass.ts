// One pass over the files of a bundle, from front to back: what is there and right stays, the rest is written, and every file
// is hashed whole for SHA256SUMS, on another thread while this one checks the chunk. It is written while the next ones are read.
import { Stages, type Stage } from '../core/buffers.ts';
import { CHUNK_SIZE } from '../core/chunks.ts';
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { hashingHere, type Hashing, type RunningHash } from '../core/hashing.ts';
import type { ReaderAt } from '../core/streams.ts';
import type { BodySource } from './body-source.ts';
import { isChunk, type Chunk } from './chunk-table.ts';
import type { BundleEntry } from './manifest.ts';
import type { OutputFiles } from './output-files.ts';

export interface BodyPlace {
  /** Of the body in the bundle. */
  readonly offset: number;
  readonly chunks: Iterable<Chunk>;
  readonly source: BodySource;
}

export interface PassOptions extends Activity {
  readonly hashing?: Hashing | undefined;
}

export class WritePass {
  readonly #files: OutputFiles;
  readonly #activity: Activity;
  readonly #sums: readonly RunningHash[];
  /** Free when the chunk in it has been hashed, and written where it had to be. */
  readonly #stages = new Stages(CHUNK_SIZE);
  #writing: Promise<void> = Promise.resolve();
  /** Body bytes written so far. */
  written = 0;

  constructor(files: OutputFiles, { hashing = hashingHere, ...activity }: PassOptions) {
    this.#files = files;
    this.#activity = activity;
    this.#sums = files.sizes.map((size) => hashing.begin(size));
  }

  /** Bytes that are known as a whole; they must not change any more. */
  async fixed(position: number, bytes: Buffer): Promise<void> {
    const found = await this.#files.read(position, bytes.byteLength);
    if (!found.equals(bytes)) await this.#write(position, bytes);
    await this.#sum(position, bytes);
  }

  /**
   * The next chunk is read while this thread checks the one before it.
   * @throws DIGEST_MISMATCH, here or later in the pass, when the source does not give what the chunk hashes say
   */
  async body(entry: BundleEntry, place: BodyPlace): Promise<void> {
    let opened: Promise<ReaderAt> | undefined;
    const read = async ({ start, size }: Chunk, into: Buffer): Promise<Buffer> => {
      opened ??= place.source.open(entry);
      return (await opened).read(into.subarray(0, size), start);
    };
    let loading: Promise<LoadedChunk> | undefined;
    try {
      for (const chunk of place.chunks) {
        this.#activity.signal?.throwIfAborted();
        const before = loading;
        loading = this.#load({ entry, chunk, position: place.offset + chunk.start }, read);
        loading.catch(() => undefined); // awaited in its turn
        if (before) this.#take(await before);
      }
      if (loading) this.#take(await loading);
    } finally {
      await loading?.catch(() => undefined);
      await (await opened)?.close();
    }
  }

  /** Waits for what is still being written, and answers the sha256 of each file in hexadecimal. The pass ends with it. */
  async finish(): Promise<string[]> {
    await Promise.all(this.#stages.free);
    const sums = await Promise.all(this.#sums.map((sum) => sum.digest()));
    return sums.map((sum) => Buffer.from(sum).toString('hex'));
  }

  /** Waits until nothing is under way any more, whatever becomes of it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#stages.free);
  }

  async #load(place: ChunkPlace, read: ChunkReader): Promise<LoadedChunk> {
    const { chunk, position } = place;
    const stage = await this.#stages.next();
    const found = await this.#files.read(position, chunk.size, stage.bytes);
    const there = await isChunk(found, chunk, hashingHere);
    return { place, stage, there, bytes: there ? found : await read(chunk, stage.bytes) };
  }

  #take({ place, stage, there, bytes }: LoadedChunk): void {
    const landed = Promise.all([this.#sum(place.position, bytes), there ? undefined : this.#land(place, bytes)]);
    stage.free = landed.then(() => this.#activity.report?.({ type: 'progress', bytes: place.chunk.size }));
    stage.free.catch(() => undefined); // awaited when its turn comes, or at the end
  }

  /** Only bytes that are what the chunk hashes say are written. */
  async #land({ entry, chunk, position }: ChunkPlace, bytes: Buffer): Promise<void> {
    if (!(await isChunk(bytes, chunk, hashingHere))) throw damagedSource(entry, chunk);
    await this.#write(position, bytes);
    this.written += chunk.size;
  }

  /** One write at a time. */
  #write(position: number, bytes: Buffer): Promise<void> {
    this.#writing = this.#writing.then(() => this.#files.write(position, bytes));
    return this.#writing;
  }

  /** Must be called in the order of the bytes, and need not be awaited for the next call. */
  async #sum(position: number, bytes: Buffer): Promise<void> {
    let offset = 0;
    const taken: Promise<void>[] = [];
    for (const part of this.#files.parts(position, bytes.byteLength)) {
      const sum = this.#sums[part.file];
      if (sum) taken.push(sum.update([bytes.subarray(offset, offset + part.length)]));
      offset += part.length;
    }
    await Promise.all(taken);
  }
}

/** Fills the beginning of `into`; fewer bytes when the body ends before. */
type ChunkReader = (chunk: Chunk, into: Buffer) => Promise<Buffer>;

interface LoadedChunk {
  readonly place: ChunkPlace;
  readonly stage: Stage;
  /** What of it is the chunk. */
  readonly bytes: Buffer;
  /** Whether the bundle has these bytes already. */
  readonly there: boolean;
}

interface ChunkPlace {
  readonly entry: BundleEntry;
  readonly chunk: Chunk;
  /** In the bundle. */
  readonly position: number;
}

function damagedSource({ digest }: BundleEntry, { start, size }: Chunk): AirgapError {
  return new AirgapError('DIGEST_MISMATCH', `${digest} is not what its chunk hashes say, from byte ${start}`, {
    hint: 'Run the same command again: the damaged copy is fetched anew.',
    details: { digest, start, size },
  });
}
