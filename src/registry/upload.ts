// Uploading one blob, whatever happens on the way. Up to a threshold it goes in one PUT; above, or after a failure that
// left something at the registry, in chunks. After each failure the registry is asked what it holds, and that is where it
// goes on. The registry's own check of the digest at the end decides.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { isTransient, type Attempts } from './attempts.ts';
import { isHttpError, type HttpError } from './http-error.ts';
import { pieceOf, UploadProgress, type Blob } from './upload-body.ts';
import type { UploadJournal } from './upload-journal.ts';
import { UploadMemory } from './upload-memory.ts';
import { UploadPieces, type UploadSizes } from './upload-pieces.ts';
import {
  askUpload,
  finishUpload,
  heldBytes,
  sendChunk,
  startUpload,
  type UploadContext,
  type UploadSession,
} from './upload-session.ts';

export interface UploadSettings extends UploadSizes {
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
  readonly #memory: UploadMemory;
  readonly #pieces: UploadPieces;
  #session: UploadSession | undefined;
  /** Where to go on in the session. */
  #position = 0;
  /** The most that was ever held; only beyond it is progress, so that starting over cannot go on for ever. */
  #furthest = 0;
  /** The session holds bytes of an attempt that failed or of an earlier process. */
  #tainted = false;
  #restarted = false;
  #finishing = false;
  #outOfStep = 0;
  /** Chunks that were refused before any was taken. */
  #refusedChunks = 0;
  /** The whole goes in one request, since the registry takes no chunks; tried once. */
  #wholeInstead = false;

  constructor(context: UploadContext, blob: Blob, options: UploadOptions) {
    this.#context = context;
    this.#blob = blob;
    this.#options = options;
    this.#attempts = context.transport.attempts(context.signal);
    this.#progress = new UploadProgress(options.progress);
    this.#memory = new UploadMemory(context, options.settings.journal, blob.descriptor.digest);
    this.#pieces = new UploadPieces(blob.descriptor.size, options.settings);
    this.#session = options.session;
  }

  async run(): Promise<void> {
    for (;;) {
      const session = this.#session ?? (await this.#begin());
      if (session === undefined) break;
      try {
        await this.#send(session);
        break;
      } catch (error) {
        if (await this.#recover(error)) break;
      }
    }
    await this.#memory.forget();
  }

  /** Undefined when the registry finished what an earlier process had sent, after it was asked whether it has the blob. */
  async #begin(): Promise<UploadSession | undefined> {
    const recalled =
      this.#pieces.chunked && !this.#restarted ? await this.#memory.recall(this.#blob.descriptor.size) : undefined;
    if (recalled === undefined && this.#memory.begun && (await this.#options.exists())) return undefined;
    const session = recalled?.session ?? (await startUpload(this.#context));
    const held = recalled?.held ?? 0;
    this.#tainted = held > 0;
    this.#progress.skipTo(held);
    await this.#reach(session, held);
    return session;
  }

  async #send(session: UploadSession): Promise<void> {
    const { size } = this.#blob.descriptor;
    if (!this.#pieces.chunked && this.#position === 0) return this.#finish(session, { start: 0, end: size });
    let current: UploadSession | undefined = session;
    while (this.#position < size) {
      current = await this.#sendChunk(current);
      if (current === undefined) return;
    }
    await this.#finish(current);
  }

  /** Sends one chunk. Undefined when the registry says, and it holds true, that the blob is complete. */
  async #sendChunk(session: UploadSession): Promise<UploadSession | undefined> {
    const start = this.#position;
    const end = this.#pieces.end(start, session.minimum);
    const body = pieceOf(this.#blob, { start, end }, this.#progress);
    const { clock } = this.#context.transport;
    const began = clock.now();
    const next = await sendChunk(this.#context, session.location, { start, body });
    this.#pieces.took(end - start, clock.now() - began);
    // some write 201 for 202; others mean it
    if (next.status === 201 && (await this.#options.exists())) return undefined;
    const held = heldBytes(next.last, end) ?? (next.status === 201 ? 0 : end);
    if (held <= start || held > end) {
      throw new OutOfStep(
        this.#context,
        `bytes ${start} to ${end} were sent, and the registry says that it holds ${held}`,
      );
    }
    await this.#reach(next, held);
    return next;
  }

  async #finish(session: UploadSession, all?: { start: number; end: number }): Promise<void> {
    this.#finishing = true;
    const { digest } = this.#blob.descriptor;
    const body = all && pieceOf(this.#blob, all, this.#progress);
    const { committed } = await finishUpload(this.#context, session.location, { digest, body });
    if (!committed && !(await this.#options.exists())) {
      throw new OutOfStep(this.#context, 'the registry ended the upload and does not have the blob');
    }
  }

  /** The registry says what it holds, and that is believed. */
  async #reach(session: UploadSession, held: number): Promise<void> {
    this.#session = session;
    this.#position = held;
    if (this.#pieces.chunked) await this.#memory.keep(session, held);
    if (held <= this.#furthest) return;
    this.#furthest = held;
    this.#outOfStep = 0;
    this.#pieces.arrived();
    this.#attempts.progressed();
  }

  /** Puts the upload where the next attempt can go on. True when it turns out to be done. @throws what cannot be mended */
  async #recover(error: unknown): Promise<boolean> {
    this.#context.signal?.throwIfAborted();
    if (this.#progress.failure !== undefined) throw error;
    await this.#judge(error);
    if (this.#finishing && (await this.#options.exists())) return true;
    this.#finishing = false;
    if (this.#chunksAreUseless(error) || this.#takesNoChunks(error)) {
      this.#wholeInstead = true;
      this.#pieces.chunked = false;
      await this.#drop();
    } else await this.#resync();
    return false;
  }

  /** Waits until another attempt makes sense. @throws the error when none does */
  async #judge(error: unknown): Promise<void> {
    if (isHttpError(error, 413)) {
      if (this.#takesNoChunks(error)) return;
      if (this.#wholeInstead || !this.#pieces.tooLarge()) throw error;
    } else if (isDigestRefused(error)) {
      // bytes of a broken attempt may be the reason; those of a fresh session are the content's own fault
      if (!this.#tainted || this.#restarted) throw this.#digestRefused(error);
      this.#restarted = true;
      await this.#drop();
    } else if (error instanceof OutOfStep) {
      this.#outOfStep++;
      await this.#attempts.wait(error.cause, true);
    } else {
      await this.#attempts.wait(error, isTransient(error) || this.#isMendable(error) || undefined);
      if (isAirgapError(error, 'REGISTRY_UNREACHABLE')) this.#pieces.cut();
    }
  }

  /** Errors that asking the registry what it holds, a new session or another way to send can mend. */
  #isMendable(error: unknown): boolean {
    if (isHttpError(error, 404, 410, 416)) {
      if (this.#pieces.chunked && this.#furthest === 0) this.#refusedChunks++;
      return true;
    }
    if (isHttpError(error, 405, 501)) return this.#chunksAreUseless(error);
    return (
      isHttpError(error, 400) &&
      error.codes.some((code) => /^(?:BLOB_UPLOAD_(?:INVALID|UNKNOWN)|RANGE_INVALID|SIZE_INVALID)$/.test(code))
    );
  }

  /** PATCH is not known, or what it answers cannot be gone by (ECR's Range stays that of the first chunk): the whole at once may do. */
  #chunksAreUseless(error: unknown): boolean {
    if (!this.#pieces.chunked || !this.#pieces.canBeWhole) return false;
    return isHttpError(error, 405, 501) || this.#outOfStep >= 2;
  }

  /** No chunk was ever taken, however small or in how new a session: such registries take the whole at once. */
  #takesNoChunks(error: unknown): boolean {
    if (this.#wholeInstead || !this.#pieces.chunked || this.#furthest > 0) return false;
    return isHttpError(error, 413) ? this.#pieces.isSmallest : this.#refusedChunks >= 2;
  }

  async #resync(): Promise<void> {
    if (this.#session === undefined) return;
    const found = await askUpload(this.#context, this.#session.location);
    const held = found && heldBytes(found.last, this.#progress.sent);
    if (found === undefined || held === undefined || held > this.#progress.sent) return this.#drop();
    this.#tainted = true;
    if (held > 0) this.#pieces.chunked = true;
    await this.#reach(found, held);
  }

  /** The next attempt begins a new session. */
  async #drop(): Promise<void> {
    this.#session = undefined;
    this.#position = 0;
    await this.#memory.forget();
  }

  #digestRefused(cause: HttpError): AirgapError {
    const { digest, size } = this.#blob.descriptor;
    return new AirgapError('DIGEST_MISMATCH', `the registry refuses ${digest}: the content sent has another digest`, {
      cause,
      details: { expected: { digest, size }, status: cause.status },
      hint: 'The content was damaged at its source or on the way; verify the source.',
    });
  }
}

function isDigestRefused(error: unknown): error is HttpError {
  return isHttpError(error) && error.code === 'DIGEST_MISMATCH';
}
