// Bodies chunk by chunk, each checked against the table before it is passed on.
import { CHUNK_SIZE } from '../core/chunks.ts';
import { AirgapError } from '../core/errors.ts';
import { BufferRing, sharedBuffer, type Hashing } from '../core/hashing.ts';
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
    read: async (entry, chunk, buffer = sharedBuffer(chunk.size)) => {
      const bytes = await medium.readBody(entry.path, chunk.start, buffer.subarray(0, chunk.size));
      return (await isChunk(bytes, chunk, hashing)) ? bytes : undefined;
    },
    spans: (entry, chunk) => medium.spans(entry.path, chunk.start, chunk.size),
  };
}

/** The bytes of an entry from `start`, one chunk read ahead. @throws BUNDLE_CORRUPT, IO_FAILED */
export async function* readChunks(
  chunks: ChunkReader,
  entry: BundleEntry,
  { start = 0, signal, reuse = false }: FetchOptions = {},
): AsyncGenerator<Buffer> {
  const queue = chunks.of(entry, start)[Symbol.iterator]();
  const ring = reuse === true ? new BufferRing() : reuse;
  const next = (): { chunk: Chunk; bytes: Promise<Buffer | undefined> } | undefined => {
    const { value } = queue.next() as IteratorResult<Chunk, undefined>;
    if (!value) return undefined;
    const bytes = chunks.read(entry, value, ring ? ring.next(Math.min(CHUNK_SIZE, entry.size)) : undefined);
    bytes.catch(() => undefined); // awaited below, or ended with the consumer
    return { chunk: value, bytes };
  };
  let pending = next();
  try {
    while (pending) {
      const { chunk, bytes } = pending;
      const good = await bytes;
      signal?.throwIfAborted();
      if (!good) throw damagedChunk(chunks, entry, chunk);
      pending = next();
      yield start > chunk.start ? good.subarray(start - chunk.start) : good;
    }
  } finally {
    await pending?.bytes.catch(() => undefined); // nothing reads on once the consumer has gone
  }
}

function damagedChunk(chunks: ChunkReader, entry: BundleEntry, chunk: Chunk): AirgapError {
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
