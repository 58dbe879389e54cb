// The session of one upload in the journal: recalled only after the registry has said what it holds of it.
import { uploadKey, type UploadJournal } from './upload-journal.ts';
import { askUpload, heldBytes, rememberedLocation, type UploadContext, type UploadSession } from './upload-session.ts';

export interface RecalledSession {
  readonly session: UploadSession;
  /** Bytes the registry holds. */
  readonly held: number;
}

export class UploadMemory {
  readonly #context: UploadContext;
  readonly #journal: UploadJournal | undefined;
  readonly #key: string;

  constructor(context: UploadContext, journal: UploadJournal | undefined, digest: string) {
    this.#context = context;
    this.#journal = journal;
    this.#key = uploadKey(context.name, digest);
  }

  /** Whether an upload of this blob was begun, and its end was not seen. */
  get begun(): boolean {
    return this.#journal?.get(this.#key) !== undefined;
  }

  /** The remembered session; undefined when there is none, it is gone, or it claims more than the `size` of the blob. */
  async recall(size: number): Promise<RecalledSession | undefined> {
    const record = this.#journal?.get(this.#key);
    const location = record && (await rememberedLocation(this.#context, record.location));
    const session = location && (await askUpload(this.#context, location));
    const held = session && heldBytes(session.last, size);
    return session === undefined || held === undefined || held > size ? undefined : { session, held };
  }

  async keep(session: UploadSession, offset: number): Promise<void> {
    await this.#journal?.set(this.#key, { location: session.location.href, offset });
  }

  async forget(): Promise<void> {
    await this.#journal?.delete(this.#key);
  }
}
