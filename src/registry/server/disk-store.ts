// A store on disk: blobs once for all repositories, and in each repository only links to them. Everything gets its final
// name by a rename, so a crash leaves no half a blob; open uploads survive a restart.
//
//   blobs/sha256/<hex>                        content of blobs and manifests
//   uploads/<id>                              coming in
//   repositories/<name>/_blobs/<hex>          which blobs a repository has
//   repositories/<name>/_manifests/<hex>.json media type, size, subject of a manifest
//   repositories/<name>/_tags/<tag>           the digest a tag names
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestFromHash, hexOf, isDigest, type Digest } from '../../core/digest.ts';
import { fileError } from '../../core/errors.ts';
import { syncFolder, writeWholeFile } from '../../core/files.ts';
import { readRange, type ByteStream } from '../../core/streams.ts';
import { isRepository, isTag } from '../../oci/reference.ts';
import { describeManifest, referrersOf, type StoredManifest } from './stored-manifest.ts';
import type { RegistryStore, WritableRepositoryStore } from './store.ts';

/** @throws IO_FAILED when the folder cannot be made */
export async function diskStore(folder: string): Promise<Required<RegistryStore>> {
  for (const part of ['blobs/sha256', 'uploads', 'repositories']) await makeFolder(join(folder, part));
  const root = join(folder, 'repositories');
  const exists = (name: string): Promise<boolean> => isThere(join(root, name, '_manifests'));
  return {
    repositories: async () => (await namesBelow(root, '')).sort(),
    repository: async (name) => (isRepository(name) && (await exists(name)) ? diskRepository(folder, name) : undefined),
    writable: async (name) => {
      for (const part of ['_blobs', '_manifests', '_tags']) await makeFolder(join(root, name, part));
      return diskRepository(folder, name);
    },
  };
}

function diskRepository(folder: string, name: string): WritableRepositoryStore {
  const home = join(folder, 'repositories', name);
  const blob = (digest: Digest): string => join(folder, 'blobs', 'sha256', hexOf(digest));
  const link = (digest: Digest, repository = home): string => join(repository, '_blobs', hexOf(digest));
  const manifestFile = (digest: Digest): string => join(home, '_manifests', `${hexOf(digest)}.json`);
  const tagFile = (tag: string): string => join(home, '_tags', tag);
  const upload = (id: string): string => join(folder, 'uploads', id);

  const stored = async (digest: Digest): Promise<StoredManifest | undefined> => {
    const text = await readFile(manifestFile(digest), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as StoredManifest);
  };
  const allStored = async (): Promise<StoredManifest[]> => {
    const names = await readdir(join(home, '_manifests'));
    const manifests = await Promise.all(
      names.filter((file) => file.endsWith('.json')).map((file) => stored(`sha256:${file.slice(0, -5)}` as Digest)),
    );
    return manifests.filter((manifest) => manifest !== undefined);
  };
  const resolve = async (reference: string): Promise<Digest | undefined> => {
    if (isDigest(reference)) return reference;
    const text = isTag(reference) ? await readFile(tagFile(reference), 'utf8').catch(() => '') : '';
    return isDigest(text) ? text : undefined;
  };
  const size = (path: string): Promise<number | undefined> =>
    stat(path).then(
      (info) => info.size,
      () => undefined,
    );
  return {
    manifest: async (reference) => {
      const digest = await resolve(reference);
      return digest && (await stored(digest))?.descriptor;
    },
    blobSize: async (digest) => ((await isThere(link(digest))) ? size(blob(digest)) : undefined),
    open: (digest, start, end) => readFileRange(blob(digest), start, end),
    tags: async () => (await readdir(join(home, '_tags'))).filter(isTag),
    referrers: async (subject) => referrersOf(await allStored(), subject),
    putManifest: async (descriptor, bytes, tag) => {
      await writeWholeFile(blob(descriptor.digest), bytes);
      await writeWholeFile(
        manifestFile(descriptor.digest),
        Buffer.from(JSON.stringify(describeManifest(descriptor, bytes))),
      );
      if (tag !== undefined) await writeWholeFile(tagFile(tag), Buffer.from(descriptor.digest));
    },
    deleteManifest: async (digest) => {
      for (const tag of await readdir(join(home, '_tags')))
        if ((await resolve(tag)) === digest) await rm(tagFile(tag), { force: true });
      return removed(manifestFile(digest));
    },
    deleteTag: async (tag) => isTag(tag) && removed(tagFile(tag)),
    deleteBlob: (digest) => removed(link(digest)),
    mount: async (digest, from) => {
      if (
        !isRepository(from) ||
        !(await isThere(link(digest, join(folder, 'repositories', from)))) ||
        !(await isThere(blob(digest)))
      )
        return false;
      await writeFile(link(digest), '');
      return true;
    },
    startUpload: async () => {
      const id = randomUUID();
      await writeFile(upload(id), '');
      return id;
    },
    uploadSize: async (id) => (isUploadId(id) ? size(upload(id)) : undefined),
    appendUpload: (id, bytes) => append(upload(id), bytes),
    finishUpload: async (id, digest) => {
      if ((await syncedDigest(upload(id))) !== digest) {
        await rm(upload(id), { force: true });
        return false;
      }
      await rename(upload(id), blob(digest));
      await syncFolder(dirname(blob(digest)));
      await writeFile(link(digest), '');
      return true;
    },
    cancelUpload: async (id) => {
      if (isUploadId(id)) await rm(upload(id), { force: true });
    },
  };
}

async function append(path: string, bytes: ByteStream): Promise<number> {
  const file = await open(path, 'a');
  try {
    for await (const chunk of bytes) await file.appendFile(chunk);
    return (await file.stat()).size;
  } catch (error) {
    throw fileError(error, 'write', path);
  } finally {
    await file.close();
  }
}

async function syncedDigest(path: string): Promise<Digest> {
  const file = await open(path, 'r+');
  try {
    const hash = createHash('sha256');
    for await (const chunk of readRange(file)) hash.update(chunk);
    await file.sync();
    return digestFromHash(hash.digest());
  } finally {
    await file.close();
  }
}

async function* readFileRange(path: string, start?: number, end?: number): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    yield* readRange(file, { start, end });
  } finally {
    await file.close();
  }
}

/** Folders named with a leading underscore are ours; a repository's name cannot begin with one. */
async function namesBelow(root: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
    if (entry.name === '_manifests') names.push(prefix);
    else if (entry.isDirectory() && !entry.name.startsWith('_'))
      names.push(...(await namesBelow(root, prefix === '' ? entry.name : `${prefix}/${entry.name}`)));
  }
  return names;
}

function isUploadId(id: string): boolean {
  return /^[0-9a-f-]{36}$/.test(id);
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, 'make', path);
  });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function removed(path: string): Promise<boolean> {
  return rm(path).then(
    () => true,
    () => false,
  );
}
