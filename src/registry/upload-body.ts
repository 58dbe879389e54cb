// The bytes of an upload request: a piece of the content, cut exactly, counted once however often it is sent.
import type { BufferRing } from '../core/hashing.ts';
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
  /** For content that fills buffers: those of all pieces of one upload, which are sent one after another. */
  readonly ring?: BufferRing | undefined;
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

/** The last part is held back until the content has ended, so that a request with too much in it is never complete. */
async function* cut({ descriptor, content }: Blob, range: Piece, progress: UploadProgress): AsyncGenerator<Uint8Array> {
  let position = range.start;
  let last: Uint8Array | undefined;
  try {
    for await (const chunk of content.open(range.start, { reuse: range.ring ?? true })) {
      if (chunk.byteLength === 0) continue;
      if (position + chunk.byteLength > descriptor.size)
        throw digestMismatch(descriptor, { size: position + chunk.byteLength });
      const part = chunk.subarray(0, range.end - position);
      position += part.byteLength;
      if (position === descriptor.size) last = part;
      else yield part;
      if (position === range.end && range.end < descriptor.size) return;
    }
    if (position < range.end) throw digestMismatch(descriptor, { size: position });
  } catch (error) {
    progress.failure = error;
    throw error;
  }
  if (last !== undefined) yield last;
}
