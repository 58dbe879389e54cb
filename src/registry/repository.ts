// One repository of a registry as a Source and Target (distribution-spec). What each request is, is in the modules beside;
// here they are put together.
import { isDigest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { collect, lent, type BorrowedStream, type ByteStream } from '../core/streams.ts';
import { contentOf, MANIFEST_LIMIT, readBlob, verified } from '../oci/content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isNode } from '../oci/manifest.ts';
import { isTag } from '../oci/reference.ts';
import type { Content, FetchOptions, PushOptions, ReferrerLister, Target } from '../oci/target.ts';
import { discard, headerOf } from './answer.ts';
import type { BlobPusher } from './blobs.ts';
import { digestAnswered } from './digest-header.ts';
import { download } from './download.ts';
import { isNotThere, isUndecided } from './http-error.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import {
  currentDigest,
  getManifest,
  manifestCall,
  putManifest,
  readScopes,
  RecentManifests,
  type ManifestContext,
  type ReceivedManifest,
} from './manifests.ts';
import { lendReceived } from './received.ts';
import { addTaggedReferrer, listReferrers, subjectOf, type ReferrersOptions } from './referrers.ts';
import type { Access } from './scope.ts';
import { listTags } from './tags.ts';
import type { Call, Transport } from './transport.ts';

export type { Credential, CredentialSource } from './credential.ts';
export type { UploadJournal, UploadSessionRecord } from './upload-journal.ts';

/** What the repositories of one registry share. */
export interface RepositoryContext {
  readonly transport: Transport;
  readonly blobs: BlobPusher;
  /** Changes to the index of a subject's referrers, one after another. */
  readonly referrerUpdates: KeyedQueue<string>;
  /** In front of the name in requests, for mirrors. */
  readonly prefix: string;
}

interface Cancel {
  readonly signal?: AbortSignal | undefined;
}

/** Made by `Registry.repository`. */
export class Repository implements Target, ReferrerLister {
  /** Path below the registry, without host. */
  readonly name: string;
  readonly #shared: RepositoryContext;
  readonly #context: ManifestContext;
  readonly #recent = new RecentManifests();

  constructor(name: string, access: Access, shared: RepositoryContext) {
    this.name = name;
    this.#shared = shared;
    this.#context = { transport: shared.transport, name: `${shared.prefix}${name}`, access };
  }

  /** The digest is computed from the manifest's bytes, which are fetched; they are verified where a digest was asked for. */
  async resolve(reference: string, options: Cancel = {}): Promise<Descriptor> {
    checkReference(reference);
    const known = isDigest(reference) ? this.#recent.get(reference) : undefined;
    const manifest = known ?? (await getManifest(this.#context, reference, options.signal));
    this.#recent.add(manifest);
    return manifest.descriptor;
  }

  fetch(descriptor: Descriptor, options: FetchOptions = {}): ByteStream {
    return this.#remembered(descriptor, options) ?? this.#download(descriptor, options);
  }

  borrow(descriptor: Descriptor, options: FetchOptions = {}): BorrowedStream {
    const remembered = this.#remembered(descriptor, options);
    return remembered ? lent(remembered) : lendReceived(this.#download(descriptor, options));
  }

  async exists(descriptor: Descriptor, options: Cancel = {}): Promise<boolean> {
    const held = await this.#holds(descriptor, options.signal);
    if (!isNode(descriptor)) await this.#shared.blobs.found(this.#context.name, descriptor.digest, held);
    return held;
  }

  /** Blobs are mounted or uploaded, manifests are put under their digest and listed with their subject. */
  async push(descriptor: Descriptor, content: Content, options: PushOptions = {}): Promise<void> {
    if (isNode(descriptor)) return this.#pushManifest(descriptor, content, options);
    const exists = (): Promise<boolean> => this.exists(descriptor, options);
    await this.#shared.blobs.push({ name: this.#context.name, descriptor, content, exists }, options);
  }

  async tag(descriptor: Descriptor, reference: string, options: Cancel = {}): Promise<void> {
    const { signal } = options;
    if (!isTag(reference))
      throw new AirgapError('REFERENCE_INVALID', `not a tag: ${JSON.stringify(reference.slice(0, 150))}`);
    if ((await currentDigest(this.#context, reference, signal)) === descriptor.digest) return;
    const bytes = await readBlob(this, descriptor, { signal });
    await putManifest(this.#context, { descriptor, bytes }, { reference, signal });
  }

  referrers(subject: Pick<Descriptor, 'digest'>, options: ReferrersOptions = {}): Promise<Descriptor[]> {
    return listReferrers(this.#context, subject.digest, options);
  }

  tags(signal?: AbortSignal): AsyncIterable<string> {
    return listTags(this.#context, signal);
  }

  async #pushManifest(descriptor: Descriptor, content: Content, options: PushOptions): Promise<void> {
    const { signal, progress } = options;
    if (descriptor.size > MANIFEST_LIMIT) {
      throw new AirgapError(
        'MANIFEST_INVALID',
        `${descriptor.digest} has ${descriptor.size} bytes; a manifest has at most ${MANIFEST_LIMIT}`,
      );
    }
    const bytes = await collect(verified(content.open(0), descriptor), MANIFEST_LIMIT);
    const manifest: ReceivedManifest = { descriptor, bytes };
    const { subject } = await putManifest(this.#context, manifest, { reference: descriptor.digest, signal });
    progress?.(bytes.byteLength);
    this.#recent.add(manifest);
    const about = subject ? undefined : subjectOf(bytes);
    if (about === undefined) return;
    const key = `${this.name}@${about.subject}`;
    await this.#shared.referrerUpdates.run(key, () => addTaggedReferrer(this.#context, manifest, signal), signal);
  }

  #remembered(descriptor: Descriptor, { start = 0 }: FetchOptions): ByteStream | undefined {
    const recent = isNode(descriptor) ? this.#recent.get(descriptor.digest) : undefined;
    return recent && contentOf(recent.bytes).open(start);
  }

  #download(descriptor: Descriptor, options: FetchOptions): ByteStream {
    const call = this.#contentCall(descriptor, 'GET');
    return download({ transport: this.#shared.transport, descriptor, call }, options);
  }

  async #holds(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      const answer = await this.#shared.transport.send({ ...this.#contentCall(descriptor, 'HEAD'), signal }, [200]);
      discard(answer);
      if (isNode(descriptor)) digestAnswered(answer, descriptor.digest);
      // a HEAD without a usable length is common; one with another length means that what is there is damaged
      const length = Number(headerOf(answer, 'content-length') ?? 0);
      return length === 0 || length === descriptor.size;
    } catch (error) {
      if (isNotThere(error)) return false;
      if (isUndecided(error)) return this.#answersGet(descriptor, signal);
      throw error;
    }
  }

  async #answersGet(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<boolean> {
    const call = this.#contentCall(descriptor, 'GET');
    try {
      discard(
        await this.#shared.transport.send(
          { ...call, headers: { ...call.headers, range: 'bytes=0-0' }, signal },
          [200, 206, 416],
        ),
      );
      return true;
    } catch (error) {
      if (isNotThere(error)) return false;
      throw error;
    }
  }

  #contentCall(descriptor: Descriptor, method: Call['method']): Call {
    if (isNode(descriptor)) return manifestCall(this.#context, { method, reference: descriptor.digest });
    const { name } = this.#context;
    return {
      method,
      target: `${name}/blobs/${descriptor.digest}`,
      scopes: readScopes(this.#context),
      elsewhere: true,
    };
  }
}

function checkReference(reference: string): void {
  if (isDigest(reference) || isTag(reference)) return;
  throw new AirgapError(
    'REFERENCE_INVALID',
    `neither a tag nor a sha256 digest: ${JSON.stringify(reference.slice(0, 150))}`,
  );
}
