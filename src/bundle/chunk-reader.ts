// Bodies chunk by chunk, each checked against the table before it is passed on.
import { chunkBuffers, Loan, type BufferPool } from '../core/buffers.ts';
import { AirgapError } from '../core/errors.ts';
import type { Hashing } from '../core/hashing.ts';
import type { Borrowed } from '../core/streams.ts';
import type { FetchOptions } from '../oci/target.ts';
import { isChunk, type Chunk, type ChunkTable } from './chunk-table.ts';
import { describeSpans } from './damage.ts';
import type { BundleEntry } from './manifest.ts';
import type { Medium } from './medium.ts';
import type { Span } from './volume-set.ts';

export interface ChunkReader {
  /** The chunks of an entry from the one that holds byte `start`; `chunks` itself has none. */
  of(entry: BundleEntry, start?: number): Iterable<Chunk>;
  /**
   * The bytes of a chunk, or undefined when they are not what was signed.
   * @param buffer is read into where one is given; it must hold a chunk
   * @throws IO_FAILED
   */
  read(entry: BundleEntry, chunk: Chunk, buffer?: Buffer): Promise<Buffer | undefined>;
  /** Where a chunk lies. */
  spans(entry: BundleEntry, chunk: Chunk): Span[];
}

export function chunkReader(medium: Medium, table: ChunkTable, hashing: Hashing): ChunkReader {
  return {
    of: (entry, start) => table.chunks(entry.path, start),
    read: async (entry, chunk, buffer = Buffer.allocUnsafeSlow(chunk.size)) => {
      const bytes = await medium.readBody(entry.path, chunk.start, buffer.subarray(0, chunk.size));
      return (await isChunk(bytes, chunk, hashing)) ? bytes : undefined;
    },
    spans: (entry, chunk) => medium.spans(entry.path, chunk.start, chunk.size),
  };
}

/** The bytes of an entry from `start`, one chunk read ahead. @throws BUNDLE_CORRUPT, IO_FAILED */
export function readChunks(chunks: ChunkReader, entry: BundleEntry, options?: FetchOptions): AsyncGenerator<Buffer> {
  return checkedChunks(chunks, { entry, memory: ownMemory }, options);
}

/** The same in buffers of the pool: one for the chunk that is lent, and one to read ahead into while there is one to spare. */
export async function* borrowChunks(
  chunks: ChunkReader,
  entry: BundleEntry,
  options?: FetchOptions,
): AsyncGenerator<Borrowed> {
  for await (const bytes of checkedChunks(chunks, { entry, memory: chunkBuffers }, options)) yield { bytes };
}

type Memory = Pick<BufferPool, 'lend' | 'tryLend'>;

/** What is read into it may be kept. */
const ownMemory: Memory = {
  lend: async (size) => ownLoan(size),
  tryLend: ownLoan,
};

function ownLoan(size: number): Loan {
  return new Loan(Buffer.allocUnsafeSlow(size), () => undefined);
}

interface Reading {
  readonly chunk: Chunk;
  readonly loan: Loan;
  /** Undefined when they are not what was signed. */
  readonly bytes: Promise<Buffer | undefined>;
}

async function* checkedChunks(
  chunks: ChunkReader,
  { entry, memory }: { readonly entry: BundleEntry; readonly memory: Memory },
  { start = 0, signal }: FetchOptions = {},
): AsyncGenerator<Buffer> {
  const queue = chunks.of(entry, start)[Symbol.iterator]() as Iterator<Chunk, undefined>;
  const begin = (chunk: Chunk, loan: Loan): Reading => {
    const bytes = chunks.read(entry, chunk, loan.bytes);
    bytes.catch(() => undefined); // awaited below, or ended with the consumer
    return { chunk, loan, bytes };
  };
  let current: Reading | undefined;
  let ahead: Reading | undefined;
  try {
    for (let chunk = queue.next().value; chunk;) {
      current = ahead ?? begin(chunk, await memory.lend(chunk.size, signal)); // nothing is held here
      ahead = undefined;
      const good = await current.bytes;
      signal?.throwIfAborted();
      if (!good) throw damagedChunk(chunks, entry, chunk);
      const from = Math.max(0, start - chunk.start);
      chunk = queue.next().value;
      const spare = chunk && memory.tryLend(chunk.size);
      ahead = chunk && spare && begin(chunk, spare);
      yield from > 0 ? good.subarray(from) : good;
      current.loan.giveBack();
      current = undefined;
    }
  } finally {
    await ahead?.bytes.catch(() => undefined); // nothing reads on once the consumer has gone
    for (const reading of [current, ahead]) reading?.loan.giveBack();
  }
}

export function damagedChunk(chunks: ChunkReader, entry: BundleEntry, chunk: Chunk): AirgapError {
  const spans = chunks.spans(entry, chunk);
  return new AirgapError(
    'BUNDLE_CORRUPT',
    `${entry.path} is not what was signed (${describeSpans(spans)}, ${chunk.size} bytes)`,
    {
      hint: 'Carry the named file over again.',
      details: { region: entry.path, spans, start: chunk.start, size: chunk.size },
    },
  );
}
