// What the server serves: repositories by name. A read-only store needs the first two interfaces; a store that can be pushed
// to implements all. Names, tags, digests and upload sizes were checked by the server before a store sees them.
import type { Digest } from '../../core/digest.ts';
import type { BorrowedStream, ByteStream } from '../../core/streams.ts';
import type { Descriptor } from '../../oci/descriptor.ts';

export interface RegistryStore {
  /** Sorted names. */
  repositories(): Promise<readonly string[]>;
  repository(name: string): Promise<RepositoryStore | undefined>;
  /** Absent from a read-only store. Asking for a repository makes none: it exists from its first blob or manifest on. */
  readonly writable?: (name: string) => Promise<WritableRepositoryStore>;
}

export interface ContentRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Aborts when nobody takes the bytes any more. */
  readonly signal: AbortSignal;
}

export interface RepositoryStore {
  /** A manifest by tag or digest: media type, digest, size. */
  manifest(reference: string): Promise<Descriptor | undefined>;
  /** Bytes of a blob of this repository; undefined when it has none. */
  blobSize(digest: Digest): Promise<number | undefined>;
  /** Bytes from `start` (0) to `end` (exclusive; the end) of a blob or manifest that is there. */
  open(digest: Digest, start?: number, end?: number): ByteStream;
  /** The same in memory that the store uses again, where it has such; it is asked for when the one before was sent. */
  borrow?(digest: Digest, range: ContentRange): BorrowedStream;
  /** In any order. */
  tags(): Promise<readonly string[]>;
  /** Manifests of this repository whose subject is `subject`, as descriptors with artifactType and annotations. */
  referrers(subject: Digest): Promise<readonly Descriptor[]>;
}

export interface WritableRepositoryStore extends RepositoryStore {
  /** Stores a manifest that was checked, and makes `tag` name it. */
  putManifest(descriptor: Descriptor, bytes: Uint8Array, tag?: string): Promise<void>;
  /** These answer whether there was something to delete. The tags of a manifest go with it. */
  deleteManifest(digest: Digest): Promise<boolean>;
  deleteTag(tag: string): Promise<boolean>;
  deleteBlob(digest: Digest): Promise<boolean>;
  /** Takes over a blob that the repository `from` has; false when it does not. */
  mount(digest: Digest, from: string): Promise<boolean>;
  /** Opens an upload to this repository; no other repository knows its id. */
  startUpload(): Promise<string>;
  /** Bytes received by an upload; undefined when there is no such upload. */
  uploadSize(id: string): Promise<number | undefined>;
  /** Appends, and keeps what arrived even if the stream fails. Answers the new size. Never called twice at a time for an id. */
  appendUpload(id: string, bytes: ByteStream): Promise<number>;
  /** Makes a blob of an upload when it has the digest; false (and the upload is gone) when it does not. */
  finishUpload(id: string, digest: Digest): Promise<boolean>;
  cancelUpload(id: string): Promise<void>;
}
