// Uploading one blob, whatever happens on the way. Up to a threshold it goes in one PUT; above, or after a failure that
// left something at the registry, in chunks. After each failure the registry is asked what it holds, and that is where it
// goes on. The registry's own check of the digest at the end decides.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { digestMismatch } from '../oci/descriptor.ts';
import type { Attempts } from './attempts.ts';
import { isTransient } from './attempts.ts';
import { isHttpError, type HttpError } from './http-error.ts';
import { pieceOf, UploadProgress, type Blob } from './upload-body.ts';
import type { UploadJournal } from './upload-journal.ts';
import {
  askUpload,
  finishUpload,
  rememberedLocation,
  sendChunk,
  startUpload,
  type UploadContext,
  type UploadSession,
} from './upload-session.ts';

export interface UploadSettings {
  /** Bytes of one PATCH. */
  readonly chunkSize: number;
  /** Larger blobs are sent in chunks. */
  readonly chunkThreshold: number;
  readonly journal?: UploadJournal | undefined;
}

export interface UploadOptions {
  readonly settings: UploadSettings;
  readonly progress?: ((bytes: number) => void) | undefined;
  /** A session that is open already (a mount that was refused). */
  readonly session?: UploadSession | undefined;
  /** Asks whether the registry has the blob. */
  readonly exists: () => Promise<boolean>;
}

/** No registry or proxy needs chunks smaller than this. */
const SMALLEST_CHUNK = 64 * 1024;

/** @throws DIGEST_MISMATCH, errors of the content, and the transport's errors */
export async function uploadBlob(context: UploadContext, blob: Blob, options: UploadOptions): Promise<void> {
  await new BlobUpload(context, blob, options).run();
}

/** The registry's answer does not fit what was sent. */
class OutOfStep extends Error {
  override readonly cause: AirgapError;

  constructor(context: UploadContext, why: string) {
    super(why);
    this.cause = new AirgapError('REGISTRY_PROTOCOL', `upload to ${context.name}: ${why}`);
  }
}

class BlobUpload {
  readonly #context: UploadContext;
  readonly #blob: Blob;
  readonly #options: UploadOptions;
  readonly #attempts: Attempts;
  readonly #progress: UploadProgress;
  readonly #key: string;
  #session: UploadSession | undefined;
  /** Where to go on in the session. */
  #position = 0;
  #chunked: boolean;
  #chunkSize: number;
  /** A request of the whole was too large for someone on the way, so there is no way back to it. */
  #tooLarge = false;
  /** The session holds bytes of an attempt that failed or of an earlier process. */
  #tainted = false;
  #restarted = false;
  #stuck = 0;
  #cut = 0;
  #finishing = false;

  constructor(context: UploadContext, blob: Blob, options: UploadOptions) {
    this.#context = context;
    this.#blob = blob;
    this.#options = options;
    this.#attempts = context.transport.attempts(context.signal);
    this.#progress = new UploadProgress(options.progress);
    this.#key = `${context.name}@${blob.descriptor.digest}`;
    this.#session = options.session;
    this.#chunked = blob.descriptor.size > options.settings.chunkThreshold;
    this.#chunkSize = options.settings.chunkSize;
  }

  async run(): Promise<void> {
    for (;;) {
      const session = this.#session ?? (await this.#begin());
      try {
        await this.#send(session);
        await this.#options.settings.journal?.delete(this.#key);
        return;
      } catch (error) {
        if (await this.#recover(error)) return;
      }
    }
  }

  async #begin(): Promise<UploadSession> {
    this.#position = 0;
    this.#tainted = false;
    this.#session = (await this.#remembered()) ?? (await startUpload(this.#context));
    if (this.#chunked) await this.#remember();
    return this.#session;
  }

  async #send(session: UploadSession): Promise<void> {
    const { size } = this.#blob.descriptor;
    if (!this.#chunked && this.#position === 0) return this.#finish(session, { start: 0, end: size });
    let current = session;
    while (this.#position < size) {
      const patched = await this.#patch(current);
      if (patched === undefined) return;
      current = patched;
    }
    await this.#finish(current);
  }

  /** Sends one chunk. Undefined when the registry says, and it holds true, that the blob is complete. */
  async #patch(session: UploadSession): Promise<UploadSession | undefined> {
    const start = this.#position;
    const end = Math.min(this.#blob.descriptor.size, start + Math.max(this.#chunkSize, session.minimum));
    const body = pieceOf(this.#blob, { start, end }, this.#progress);
    const next = await sendChunk(this.#context, session.location, { start, body });
    this.#session = next;
    if (next.status === 201) {
      if (await this.#options.exists()) return undefined;
      throw new OutOfStep(this.#context, 'the registry says that a part is the whole, and does not have the blob');
    }
    const held = heldBytes(next.last, end) ?? end;
    if (held > end)
      throw new OutOfStep(this.#context, `the registry says it holds ${held} bytes, and only ${end} were sent`);
    this.#position = held;
    if (held <= start)
      throw new OutOfStep(this.#context, `the registry took bytes ${start} to ${end} and says it holds ${held}`);
    this.#advanced();
    await this.#remember();
    return next;
  }

  async #finish(session: UploadSession, all?: { start: number; end: number }): Promise<void> {
    this.#finishing = true;
    const { digest } = this.#blob.descriptor;
    const body = all && pieceOf(this.#blob, all, this.#progress);
    const { committed } = await finishUpload(this.#context, session.location, { digest, body });
    if (!committed && !(await this.#options.exists()))
      throw new OutOfStep(this.#context, 'the registry ended the upload and does not have the blob');
    this.#finishing = false;
  }

  /** Puts the upload where the next attempt can go on. True when it turns out to be done. @throws what cannot be mended */
  async #recover(error: unknown): Promise<boolean> {
    this.#context.signal?.throwIfAborted();
    if (this.#progress.failure !== undefined) throw error;
    const finishing = this.#finishing;
    this.#finishing = false;
    if (isHttpError(error, 413)) this.#shrink(error);
    else if (isDigestRefused(error)) await this.#startOver(error);
    else if (error instanceof OutOfStep) await this.#attempts.wait(error.cause, true);
    else await this.#attempts.wait(error, isTransient(error) || this.#isMendable(error) || undefined);
    if (finishing && (await this.#options.exists())) return true;
    if (error instanceof OutOfStep && ++this.#stuck >= 2 && !this.#tooLarge) return this.#giveUpChunks();
    if (isHttpError(error, 405, 501) && this.#chunked) return this.#giveUpChunks();
    if (isAirgapError(error, 'REGISTRY_UNREACHABLE')) this.#shorten();
    await this.#resync();
    return false;
  }

  /** Errors of a session that asking the registry, or a new session, can mend. */
  #isMendable(error: unknown): boolean {
    if (isHttpError(error, 404, 410, 416)) return true;
    if (isHttpError(error, 405, 501)) return this.#chunked && !this.#tooLarge;
    return (
      isHttpError(error, 400) &&
      error.codes.some((code) => /^(?:BLOB_UPLOAD_(?:INVALID|UNKNOWN)|RANGE_INVALID|SIZE_INVALID)$/.test(code))
    );
  }

  #shrink(error: HttpError): void {
    const tried = this.#chunked ? this.#chunkSize : Math.min(this.#chunkSize * 2, this.#blob.descriptor.size);
    if (tried <= SMALLEST_CHUNK) throw error;
    this.#chunkSize = Math.max(SMALLEST_CHUNK, Math.ceil(tried / 2));
    this.#chunked = true;
    this.#tooLarge = true;
  }

  /** Some proxies cut a request that is too long without a word, and on a bad line less is lost with less. */
  #shorten(): void {
    if (this.#chunked)
      this.#chunkSize = Math.max(Math.min(this.#chunkSize, 1024 * 1024), Math.ceil(this.#chunkSize / 2));
    else if (++this.#cut >= 2) this.#chunked = true;
  }

  /** Bytes of a broken attempt may be the reason; those of a fresh session are the content's own fault. */
  async #startOver(error: HttpError): Promise<void> {
    if (!this.#tainted || this.#restarted) throw digestRefused(this.#blob, error);
    this.#restarted = true;
    await this.#forget();
  }

  async #giveUpChunks(): Promise<false> {
    this.#chunked = false;
    this.#stuck = 0;
    await this.#forget();
    return false;
  }

  async #resync(): Promise<void> {
    if (this.#session === undefined) return;
    const found = await askUpload(this.#context, this.#session.location);
    const held = found && heldBytes(found.last, this.#progress.sent);
    if (found === undefined || held === undefined || held > this.#progress.sent) return this.#forget();
    this.#tainted = true;
    this.#session = found;
    this.#position = held;
    if (held > 0) this.#chunked = true;
  }

  async #remembered(): Promise<UploadSession | undefined> {
    const record = this.#chunked && !this.#restarted ? this.#options.settings.journal?.get(this.#key) : undefined;
    const location = record && (await rememberedLocation(this.#context, record.location));
    const found = location && (await askUpload(this.#context, location));
    const held = found && heldBytes(found.last, this.#blob.descriptor.size);
    if (held === undefined || held > this.#blob.descriptor.size) return undefined;
    this.#tainted = held > 0;
    this.#position = held;
    this.#progress.skipTo(held);
    return found;
  }

  async #remember(): Promise<void> {
    if (this.#session === undefined) return;
    await this.#options.settings.journal?.set(this.#key, {
      location: this.#session.location.href,
      offset: this.#position,
    });
  }

  async #forget(): Promise<void> {
    this.#session = undefined;
    this.#position = 0;
    await this.#options.settings.journal?.delete(this.#key);
  }

  #furthest = 0;

  /** Only what was never reached before counts as progress, so that starting over cannot go on for ever. */
  #advanced(): void {
    if (this.#position <= this.#furthest) return;
    this.#furthest = this.#position;
    this.#stuck = 0;
    this.#attempts.progressed();
  }
}

/** `0-0` is one byte only where exactly one was sent. */
function heldBytes(last: number | undefined, sent: number): number | undefined {
  if (last === undefined) return undefined;
  return last === 0 && sent !== 1 ? 0 : last + 1;
}

function isDigestRefused(error: unknown): error is HttpError {
  return isHttpError(error) && error.code === 'DIGEST_MISMATCH';
}

function digestRefused(blob: Blob, error: HttpError): AirgapError {
  const mismatch = digestMismatch(blob.descriptor, { size: blob.descriptor.size });
  return new AirgapError(
    'DIGEST_MISMATCH',
    `the registry refuses ${blob.descriptor.digest}: the content sent has another digest`,
    {
      cause: error,
      details: mismatch.details,
      hint: 'The content was damaged at its source or on the way; verify the source.',
    },
  );
}
