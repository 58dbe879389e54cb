// Where the store on disk keeps what. The names are digests, ids of our own, and repositories that passed the grammar, in
// which a component cannot begin with an underscore or a dot.
//
//   blobs/sha256/<hex>                             content of blobs and manifests
//   incoming/                                      small files that are being written; emptied at the start
//   repositories/<name>/_blobs/<hex>               which blobs a repository has
//   repositories/<name>/_manifests/<hex>           media type of a manifest
//   repositories/<name>/_referrers/<hex>/<hex>     subject, and what refers to it
//   repositories/<name>/_tags/<sha256 of the tag>  the digest a tag names, and the tag: file systems differ in the names
//                                                  that they take and tell apart
//   repositories/<name>/_uploads/<id>              coming in
import { join } from 'node:path';
import { digestOf, hexOf, type Digest } from '../../core/digest.ts';
import { AirgapError } from '../../core/errors.ts';
import { isRepository } from '../../oci/reference.ts';

export interface DiskLayout {
  readonly blobs: string;
  readonly incoming: string;
  readonly repositories: string;
  blob(digest: Digest): string;
  /** @throws REFERENCE_INVALID */
  repository(name: string): RepositoryLayout;
}

export interface RepositoryLayout {
  readonly blobs: string;
  readonly manifests: string;
  readonly tags: string;
  readonly uploads: string;
  blob(digest: Digest): string;
  manifest(digest: Digest): string;
  referrers(subject: Digest): string;
  tag(tag: string): string;
  upload(id: string): string;
}

export function diskLayout(folder: string): DiskLayout {
  const blobs = join(folder, 'blobs', 'sha256');
  const repositories = join(folder, 'repositories');
  return {
    blobs,
    incoming: join(folder, 'incoming'),
    repositories,
    blob: (digest) => join(blobs, hexOf(digest)),
    repository: (name) => {
      if (!isRepository(name)) throw new AirgapError('REFERENCE_INVALID', 'not the name of a repository');
      return repositoryLayout(join(repositories, ...name.split('/')));
    },
  };
}

function repositoryLayout(home: string): RepositoryLayout {
  const [blobs, manifests, tags, uploads] = [
    join(home, '_blobs'),
    join(home, '_manifests'),
    join(home, '_tags'),
    join(home, '_uploads'),
  ];
  return {
    blobs,
    manifests,
    tags,
    uploads,
    blob: (digest) => join(blobs, hexOf(digest)),
    manifest: (digest) => join(manifests, hexOf(digest)),
    referrers: (subject) => join(home, '_referrers', hexOf(subject)),
    tag: (tag) => join(tags, hexOf(digestOf(Buffer.from(tag)))),
    upload: (id) => join(uploads, id),
  };
}
