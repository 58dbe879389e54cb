// The bytes of an upload request: a piece of the content, cut exactly, counted once however often it is sent.
import { SMALL } from '../core/buffers.ts';
import { borrowedContent } from '../oci/content.ts';
import { digestMismatch, type Descriptor } from '../oci/descriptor.ts';
import type { Content } from '../oci/target.ts';
import type { RequestBody } from './wire.ts';

/** What is being uploaded. */
export interface Blob {
  readonly descriptor: Descriptor;
  readonly content: Content;
}

/** How far an upload has come; tells each byte once. */
export class UploadProgress {
  readonly #tell: ((bytes: number) => void) | undefined;
  /** One past the last byte that was ever sent, or held by the registry before. */
  sent = 0;
  /** What the content's own stream failed with, if it did: no matter for another attempt. */
  failure: unknown;

  constructor(tell: ((bytes: number) => void) | undefined) {
    this.#tell = tell;
  }

  /** Bytes before `position` were stored by an earlier process: they are not told. */
  skipTo(position: number): void {
    this.sent = Math.max(this.sent, position);
  }

  reach(position: number): void {
    if (position <= this.sent) return;
    this.#tell?.(position - this.sent);
    this.sent = position;
  }
}

export interface Piece {
  readonly start: number;
  readonly end: number;
}

/**
 * The bytes from `start` to before `end`. Content that turns out shorter or longer than its descriptor fails the request
 * before its last byte is sent. @throws DIGEST_MISMATCH from its stream
 */
export function pieceOf(blob: Blob, range: Piece, progress: UploadProgress): RequestBody {
  const { start, end } = range;
  return {
    length: end - start,
    async *open() {
      let position = start;
      for await (const part of cut(blob, range, progress)) {
        yield part;
        position += part.byteLength;
        progress.reach(position);
      }
    },
  };
}

/** Bytes that are held back at the end. */
const TAIL = 4096;

/**
 * The bytes are borrowed: they have to be sent when the next part is asked for. A socket says so of large parts only, so small
 * ones are copied. The tail is held back until the content has ended, so that a request with too much in it is never complete.
 */
async function* cut({ descriptor, content }: Blob, range: Piece, progress: UploadProgress): AsyncGenerator<Uint8Array> {
  let position = range.start;
  let tail: Uint8Array | undefined;
  try {
    for await (const { bytes } of borrowedContent(content, range.start)) {
      if (bytes.byteLength === 0) continue;
      if (position + bytes.byteLength > descriptor.size)
        throw digestMismatch(descriptor, { size: position + bytes.byteLength });
      let part = bytes.subarray(0, range.end - position);
      position += part.byteLength;
      if (position === descriptor.size) {
        tail = Uint8Array.from(part.subarray(-TAIL));
        part = part.subarray(0, -tail.byteLength);
      }
      if (part.byteLength > 0) yield part.byteLength < SMALL ? Uint8Array.from(part) : part;
      if (position === range.end && range.end < descriptor.size) return;
    }
    if (position < range.end) throw digestMismatch(descriptor, { size: position });
  } catch (error) {
    progress.failure = error;
    throw error;
  }
  if (tail !== undefined) yield tail;
}
