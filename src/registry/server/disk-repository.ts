// One repository of the store on disk.
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { hexOf, isDigest, type Digest } from '../../core/digest.ts';
import { syncFolder } from '../../core/files.ts';
import { openOutput } from '../../core/output-file.ts';
import { forEach } from '../../core/pool.ts';
import { readFileRange } from '../../core/named-file.ts';
import { collect } from '../../core/streams.ts';
import { MANIFEST_LIMIT } from '../../oci/content.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isRepository, isTag } from '../../oci/reference.ts';
import { fileSize, isThere, makeFolder, namesIn, readText, remove } from './disk-files.ts';
import type { DiskLayout } from './disk-layout.ts';
import type { DiskUploads } from './disk-uploads.ts';
import { describeManifest, referrersOf } from './stored-manifest.ts';
import type { WritableRepositoryStore } from './store.ts';

/** What the repositories of a store share. */
export interface Disk {
  readonly layout: DiskLayout;
  readonly uploads: DiskUploads;
  readonly write: (path: string, content: Uint8Array | string) => Promise<void>;
}

interface Tagged {
  readonly tag: string;
  readonly digest: Digest;
}

/** @throws REFERENCE_INVALID */
export function diskRepository({ layout, uploads, write }: Disk, name: string): WritableRepositoryStore {
  const paths = layout.repository(name);

  const manifest = async (digest: Digest): Promise<Descriptor | undefined> => {
    const mediaType = await readText(paths.manifest(digest));
    const size = await fileSize(layout.blob(digest));
    return mediaType === undefined || size === undefined ? undefined : { mediaType, digest, size };
  };
  const tagged = async (): Promise<Tagged[]> => {
    const texts = await forEach(await namesIn(paths.tags), (file) => readText(join(paths.tags, file)));
    return texts.flatMap((text) => parseTagged(text) ?? []);
  };
  const describe = async (digest: Digest) => {
    const descriptor = await manifest(digest);
    if (!descriptor) return undefined;
    return describeManifest(descriptor, await collect(readFileRange(layout.blob(digest)), MANIFEST_LIMIT));
  };
  /** The repository exists from here on. */
  const establish = async (): Promise<void> => {
    for (const folder of [paths.blobs, paths.tags, paths.manifests]) await makeFolder(folder);
  };
  const linkBlob = async (digest: Digest): Promise<void> => {
    await establish();
    await touch(paths.blob(digest));
  };
  return {
    manifest: async (reference) => {
      const digest = isDigest(reference) ? reference : parseTagged(await readText(paths.tag(reference)))?.digest;
      return digest && manifest(digest);
    },
    blobSize: async (digest) => ((await isThere(paths.blob(digest))) ? fileSize(layout.blob(digest)) : undefined),
    open: (digest, start, end) => readFileRange(layout.blob(digest), { start, end }),
    tags: async () => (await tagged()).map(({ tag }) => tag),
    referrers: async (subject) => {
      const digests = (await namesIn(paths.referrers(subject))).map((hex) => `sha256:${hex}`).filter(isDigest);
      const described = await forEach(digests, describe);
      return referrersOf(
        described.filter((found) => found !== undefined),
        subject,
      );
    },
    putManifest: async (descriptor, bytes, tag) => {
      const { subject } = describeManifest(descriptor, bytes);
      await write(layout.blob(descriptor.digest), bytes);
      await establish();
      // before the manifest itself, so that no crash leaves a referrer that is not listed
      if (subject !== undefined) {
        await makeFolder(paths.referrers(subject));
        await touch(join(paths.referrers(subject), hexOf(descriptor.digest)));
      }
      await write(paths.manifest(descriptor.digest), descriptor.mediaType);
      if (tag !== undefined) await write(paths.tag(tag), `${descriptor.digest} ${tag}\n`);
    },
    deleteManifest: async (digest) => {
      for (const found of await tagged()) if (found.digest === digest) await remove(paths.tag(found.tag));
      return remove(paths.manifest(digest));
    },
    deleteTag: (tag) => remove(paths.tag(tag)),
    deleteBlob: (digest) => remove(paths.blob(digest)),
    mount: async (digest, from) => {
      const held = isRepository(from) && (await isThere(layout.repository(from).blob(digest)));
      if (!held || !(await isThere(layout.blob(digest)))) return false;
      await linkBlob(digest);
      return true;
    },
    startUpload: async () => {
      const id = randomUUID();
      await makeFolder(paths.uploads);
      await touch(paths.upload(id));
      return id;
    },
    uploadSize: async (id) => (isUploadId(id) ? fileSize(paths.upload(id)) : undefined),
    appendUpload: (id, bytes) => uploads.append(paths.upload(id), bytes),
    finishUpload: async (id, digest) => {
      if (!(await uploads.finish(paths.upload(id), layout.blob(digest), digest))) return false;
      await linkBlob(digest);
      return true;
    },
    cancelUpload: async (id) => {
      if (isUploadId(id)) await uploads.cancel(paths.upload(id));
    },
  };
}

function parseTagged(text: string | undefined): Tagged | undefined {
  const [digest = '', tag = ''] = text?.trimEnd().split(' ') ?? [];
  return isDigest(digest) && isTag(tag) ? { tag, digest } : undefined;
}

function isUploadId(id: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}

/** Makes an empty file, to stay. */
async function touch(path: string): Promise<void> {
  await (await openOutput(path)).close();
  await syncFolder(dirname(path));
}
