// Bytes in motion. A blob is an async iterable of chunks and never one buffer; only what has a stated bound (a manifest,
// an error body) is collected.
import type { FileHandle } from 'node:fs/promises';
import { AirgapError } from './errors.ts';
import { BufferRing, copyInto } from './hashing.ts';

/** Chunks of any size; a consumer may keep a chunk, so a producer never reuses its buffer. */
export type ByteStream = AsyncIterable<Uint8Array>;

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
  /** Use buffers again: a chunk stays valid until the second one after it is asked for. */
  readonly reuse?: boolean | undefined;
}

/** Reads a range of an open file with one read ahead. A file that ends early just ends the stream. */
export async function* readRange(file: FileHandle, range: FileRange = {}): AsyncGenerator<Buffer> {
  const end = range.end ?? Number.MAX_SAFE_INTEGER;
  let position = range.start ?? 0;
  const ring = range.reuse === true ? new BufferRing((size) => Buffer.allocUnsafeSlow(size)) : undefined;
  const next = (): Promise<Buffer> => {
    const length = Math.min(READ_SIZE, end - position);
    const at = position;
    position += length;
    return readFully(file, scratch(ring?.next(READ_SIZE), length), at);
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

/**
 * With `reuse`, a chunk stays valid until the second one after it is asked for, and then its memory is given back: pieces from
 * sockets are garbage as fast as they come, and a collector is late. Only for chunks that nobody else holds.
 */
export function reusable(stream: ByteStream, { reuse }: { readonly reuse?: unknown }): ByteStream {
  return reuse === undefined || reuse === false ? stream : givingBack(stream);
}

async function* givingBack(stream: ByteStream): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined;
  for await (const chunk of stream) {
    yield chunk;
    if (last) giveBack(last);
    last = chunk;
  }
}

/** A chunk that shares its memory, with a pool or a header before it, leaves it to the collector. */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
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
