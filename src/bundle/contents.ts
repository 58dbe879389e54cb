// What a lock or a bundle holds, as far as two of them can be compared (difference.ts): images and files by name, blobs by
// digest. A bundle's own documents (lock, bill of materials, provenance) follow from the rest and are only among the blobs.
import type { Digest } from '../core/digest.ts';
import { LOCK_FILE, PROVENANCE_FILE, SBOM_FILE, type Lock, type LockedImage, type Verified } from './lock.ts';
import type { BundleImage, BundleManifest } from './manifest.ts';

/** An image, a chart or a file. What is absent is not known, or is nothing that such a thing has. */
export interface Item {
  readonly digest: Digest;
  /** What the tag names upstream: `digest`, or the index that it was cut from. */
  readonly original?: Digest;
  /** Sorted. */
  readonly platforms?: readonly string[];
  /** Signatures, attestations and other referrers that travel with it; sorted. */
  readonly accompanying?: readonly Digest[];
  /** The reference or URL that it is taken from. */
  readonly from?: string;
  readonly verified?: Verified;
  /** No image: a chart. */
  readonly artifact?: boolean;
  /** Bytes of all that is carried for it, what it shares with others included. */
  readonly size?: number;
}

export interface Contents {
  readonly images: ReadonlyMap<string, Item>;
  readonly files: ReadonlyMap<string, Item>;
  /** All blobs with their sizes; absent where they are not known. */
  readonly blobs?: ReadonlyMap<Digest, number>;
}

/** @param blobs of everything it pins, which it does not say itself */
export function contentsOfLock(lock: Lock, blobs?: ReadonlyMap<Digest, number>): Contents {
  return {
    images: new Map(lock.images.map((image) => [image.name, { ...imageItem(image), ...knownByLock(image) }])),
    files: new Map(lock.files.map(({ name, url, ...file }) => [name, fileItem({ ...file, from: url })])),
    ...(blobs === undefined ? {} : { blobs }),
  };
}

/** @param lock the one that the bundle holds; without it, it is not known where things are from and what vouched for them */
export function contentsOfBundle(manifest: BundleManifest, lock?: Lock): Contents {
  const locked = new Map(lock?.images.map((image) => [image.name, image]));
  const lockedFiles = new Map(lock?.files.map((file) => [file.name, file]));
  return {
    images: new Map(
      manifest.images.map((image) => {
        const known = locked.get(image.name);
        return [image.name, { ...imageItem(image), ...(known?.digest === image.digest ? knownByLock(known) : {}) }];
      }),
    ),
    files: new Map(
      manifest.files
        .filter(({ name }) => !DOCUMENTS.has(name))
        .map(({ name, digest, size }) => {
          const known = lockedFiles.get(name);
          const { url, verified } = known?.digest === digest ? known : {};
          return [name, fileItem({ digest, size, from: url, verified })];
        }),
    ),
    blobs: new Map(
      manifest.entries.filter(({ path }) => path.startsWith('blobs/')).map(({ digest, size }) => [digest, size]),
    ),
  };
}

const DOCUMENTS: ReadonlySet<string> = new Set([LOCK_FILE, SBOM_FILE, PROVENANCE_FILE]);

function imageItem({ digest, original, platforms, accompanying, artifact }: LockedImage | BundleImage): Item {
  return {
    digest,
    original: original?.digest ?? digest,
    platforms: [...platforms].sort(),
    accompanying: accompanying.map((one) => one.digest).sort(),
    ...(artifact === true ? { artifact } : {}),
  };
}

function knownByLock({ name, from = name, verified, totalSize, original }: LockedImage): Partial<Item> {
  return { from, verified, size: totalSize + (original?.size ?? 0) };
}

function fileItem(file: {
  digest: Digest;
  size: number;
  from: string | undefined;
  verified: Verified | undefined;
}): Item {
  const { digest, size, from, verified } = file;
  return {
    digest,
    size,
    ...(from === undefined ? {} : { from }),
    ...(verified === undefined ? {} : { verified }),
  };
}
