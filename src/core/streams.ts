// Bytes in motion. A blob is an async iterable of chunks and never one buffer; only what has a stated bound (a manifest,
// an error body) is collected.
import type { FileHandle } from 'node:fs/promises';
import { copyInto } from './buffers.ts';
import { AirgapError } from './errors.ts';

/** Chunks of any size; a consumer may keep a chunk, so a producer never reuses its buffer. */
export type ByteStream = AsyncIterable<Uint8Array>;

/** Bytes that are lent for a moment. */
export interface Borrowed {
  readonly bytes: Uint8Array;
}

/**
 * For who moves or hashes bytes and keeps none: the bytes of a chunk are the producer's again as soon as the next one is asked
 * for, or the stream is left. So it is not a ByteStream, and nothing that takes one can be given it.
 */
export type BorrowedStream = AsyncIterable<Borrowed>;

/** The same bytes for who only borrows them. */
export async function* lent(stream: ByteStream): AsyncGenerator<Borrowed> {
  for await (const bytes of stream) yield { bytes };
}

/** The reading size that measured best for files here. */
export const READ_SIZE = 1024 * 1024;

/** Collects a stream of at most `limit` bytes. @throws what `tooLong` makes when there are more. */
export async function collect(stream: ByteStream, limit: number, tooLong?: () => Error): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > limit)
      throw (
        tooLong?.() ??
        new AirgapError('REGISTRY_PROTOCOL', `more than ${limit} bytes where at most that many are allowed`)
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

export interface FileRange {
  /** First byte; 0 by default. */
  readonly start?: number | undefined;
  /** One past the last byte; the end of the file by default. */
  readonly end?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a range of an open file with one read ahead. A file that ends early just ends the stream. */
export function readRange(file: FileHandle, range: FileRange = {}): AsyncGenerator<Buffer> {
  return readAhead(file, range, (size) => Buffer.allocUnsafeSlow(size));
}

/** The same in two buffers: one is being filled, the other used. They are the stream's own, so that it waits for nobody. */
export async function* borrowRange(file: FileHandle, range: FileRange = {}): AsyncGenerator<Borrowed> {
  const buffers: Buffer[] = [];
  let turn = 0;
  const next = (size: number): Buffer =>
    (buffers[turn++ % 2] ??= Buffer.allocUnsafeSlow(Math.min(READ_SIZE, lengthOf(range)))).subarray(0, size);
  for await (const bytes of readAhead(file, range, next)) yield { bytes };
}

function lengthOf({ start = 0, end = Number.MAX_SAFE_INTEGER }: FileRange): number {
  return end - start;
}

async function* readAhead(
  file: FileHandle,
  range: FileRange,
  memory: (size: number) => Buffer,
): AsyncGenerator<Buffer> {
  const end = range.end ?? Number.MAX_SAFE_INTEGER;
  let position = range.start ?? 0;
  const next = (): Promise<Buffer> => {
    const length = Math.min(READ_SIZE, end - position);
    const at = position;
    position += length;
    return readFully(file, memory(length), at);
  };
  let pending = position < end ? next() : undefined;
  try {
    while (pending) {
      const chunk: Buffer = await pending;
      pending = undefined;
      range.signal?.throwIfAborted();
      if (chunk.byteLength === 0) return;
      if (chunk.byteLength === READ_SIZE && position < end) pending = next();
      yield chunk;
    }
  } finally {
    await pending?.catch(() => undefined); // the handle may be closed by our caller once we return
  }
}

/** Bytes that are read from wherever they are wanted. */
export interface ReaderAt {
  /** Fills `into` from `position` on; the answer is shorter only at the end. */
  read(into: Buffer, position: number): Promise<Buffer>;
  close(): Promise<void>;
}

export function readerOf(bytes: Uint8Array): ReaderAt {
  return {
    read: async (into, position) => {
      const found = bytes.subarray(position, position + into.byteLength);
      copyInto(into, found, 0);
      return into.subarray(0, found.byteLength);
    },
    close: async () => undefined,
  };
}

/** Fills `buffer` from `position`; the answer is shorter only at the end of the file. */
export async function readFully(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.byteLength) {
    const { bytesRead } = await file.read(buffer, filled, buffer.byteLength - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === buffer.byteLength ? buffer : buffer.subarray(0, filled);
}

/** A buffer of `length` bytes: a part of `into` where that is large enough, else a new one. */
export function scratch(into: Buffer | undefined, length: number): Buffer {
  return into !== undefined && into.byteLength >= length ? into.subarray(0, length) : Buffer.allocUnsafeSlow(length);
}

/** Writes all of `bytes` at `position`. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}

/** Passes a stream on from byte `start` of it. */
export async function* skip(stream: ByteStream, start: number): AsyncGenerator<Uint8Array> {
  let left = start;
  for await (const chunk of stream) {
    if (left >= chunk.byteLength) left -= chunk.byteLength;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}
