// Putting blobs into repositories of one registry with the least traffic: each digest is sent once at a time, and a
// repository that lacks a blob which another is known to hold gets it mounted.
import type { Digest } from '../core/digest.ts';
import { isAirgapError } from '../core/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Content, PushOptions } from '../oci/target.ts';
import { isHttpError } from './http-error.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { Transport } from './transport.ts';
import { uploadKey } from './upload-journal.ts';
import { uploadBlob, type UploadSettings } from './upload.ts';
import { mountBlob, type UploadContext, type UploadSession } from './upload-session.ts';

/** Which repositories this process knows to hold a blob, or to lack it. */
class BlobKnowledge {
  readonly #holders = new Map<Digest, Set<string>>();
  readonly #absent = new Set<string>();

  found(name: string, digest: Digest, held: boolean): void {
    if (held) {
      this.#holders.set(digest, (this.#holders.get(digest) ?? new Set()).add(name));
      this.#absent.delete(`${name}@${digest}`);
    } else {
      this.#holders.get(digest)?.delete(name);
      this.#absent.add(`${name}@${digest}`);
    }
  }

  isAbsent(name: string, digest: Digest): boolean {
    return this.#absent.has(`${name}@${digest}`);
  }

  /** Another repository that holds it. */
  holder(digest: Digest, except: string): string | undefined {
    return [...(this.#holders.get(digest) ?? [])].find((name) => name !== except);
  }
}

export interface BlobPush {
  /** Repository, as the registry knows it. */
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly content: Content;
  /** Asks the registry, and notes the answer. */
  readonly exists: () => Promise<boolean>;
}

export class BlobPusher {
  readonly #transport: Transport;
  readonly #settings: UploadSettings;
  readonly #queue = new KeyedQueue<Digest>();
  readonly #knowledge = new BlobKnowledge();
  /** Whether the registry is worth asking for mounts. */
  #mounts = true;
  /** What was done so far. */
  readonly stats = { uploads: 0, mounts: 0 };

  constructor(transport: Transport, settings: UploadSettings) {
    this.#transport = transport;
    this.#settings = settings;
  }

  /** Notes the registry's answer. An upload that is remembered of a blob that is there was finished after its process ended. */
  async found(name: string, digest: Digest, held: boolean): Promise<void> {
    this.#knowledge.found(name, digest, held);
    if (held) await this.#settings.journal?.delete(uploadKey(name, digest));
  }

  async push(blob: BlobPush, options: PushOptions = {}): Promise<void> {
    await this.#queue.run(blob.descriptor.digest, () => this.#pushNow(blob, options), options.signal);
  }

  async #pushNow(blob: BlobPush, options: PushOptions): Promise<void> {
    const { name, descriptor, exists } = blob;
    const { digest } = descriptor;
    if (!this.#knowledge.isAbsent(name, digest) && (await exists())) return;
    const context = { transport: this.#transport, name, signal: options.signal };
    const mount = await this.#mount(context, blob);
    if (mount !== 'mounted') {
      await uploadBlob(context, blob, { settings: this.#settings, progress: options.progress, session: mount, exists });
      this.stats.uploads++;
    }
    this.#knowledge.found(name, digest, true);
  }

  /** A mount that is refused costs nothing: at worst an upload is begun in the usual way. */
  async #mount(
    context: UploadContext,
    { descriptor, exists }: BlobPush,
  ): Promise<'mounted' | UploadSession | undefined> {
    const { digest } = descriptor;
    const from = this.#knowledge.holder(digest, context.name);
    if (from === undefined || !this.#mounts) return undefined;
    try {
      const session = await mountBlob(context, digest, from);
      if (session !== undefined) return session;
      if (!(await exists())) return undefined;
      this.stats.mounts++;
      return 'mounted';
    } catch (error) {
      if (!isRefused(error)) throw error;
      // a failure was retried with growing waits, which must not be so for each blob
      if (isHttpError(error) && error.status >= 500) this.#mounts = false;
      return undefined;
    }
  }
}

/** A registry that failed at a mount, or sent something odd, may still take an upload; one that limits requests takes none. */
function isRefused(error: unknown): boolean {
  return (
    isAirgapError(error, 'REGISTRY_UNAUTHORIZED', 'REGISTRY_PROTOCOL', 'URL_REFUSED') ||
    (isHttpError(error) && error.status !== 429)
  );
}
