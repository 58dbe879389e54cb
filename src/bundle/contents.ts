// What a lock or a bundle holds, as far as two of them can be compared (difference.ts): images and files by name, blobs by
// digest. A bundle's own documents (lock, bill of materials, provenance) follow from the rest and are only among the blobs.
import type { Digest } from '../core/digest.ts';
import { withoutUrlSecrets } from '../core/url-text.ts';
import { OWN_FILES, type Lock, type LockedFile, type LockedImage, type Verified } from './lock.ts';
import type { BundleFile, BundleImage, BundleManifest } from './manifest.ts';

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
    files: new Map(lock.files.map((file) => [file.name, fileItem(file)])),
    ...(blobs === undefined ? {} : { blobs }),
  };
}

/** @param lock the one that the bundle holds; without it, it is not known where things are from and what vouched for them */
export function contentsOfBundle(manifest: BundleManifest, lock?: Lock): Contents {
  const images = new Map(lock?.images.map((image) => [image.name, image]));
  const files = new Map(lock?.files.map((file) => [file.name, file]));
  const carried = manifest.files.filter(({ name }) => !OWN_FILES.includes(name));
  const blobs = manifest.entries.filter(({ path }) => path.startsWith('blobs/'));
  return {
    images: new Map(manifest.images.map((image) => [image.name, bundledImage(image, images.get(image.name))])),
    files: new Map(carried.map((file) => [file.name, bundledFile(file, files.get(file.name))])),
    blobs: new Map(blobs.map(({ digest, size }) => [digest, size])),
  };
}

/** What a lock says of other content is not believed of this. */
function bundledImage(image: BundleImage, locked: LockedImage | undefined): Item {
  return { ...imageItem(image), ...(locked?.digest === image.digest ? knownByLock(locked) : {}) };
}

function bundledFile(file: BundleFile, locked: LockedFile | undefined): Item {
  return fileItem(locked?.digest === file.digest ? locked : file);
}

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
  return { from, verified: withoutSecret(verified), size: totalSize + (original?.size ?? 0) };
}

function fileItem({ digest, size, url, verified }: Pick<BundleFile, 'digest' | 'size'> & Partial<LockedFile>): Item {
  return {
    digest,
    size,
    ...(url === undefined ? {} : { from: withoutUrlSecrets(url) }),
    ...(verified === undefined ? {} : { verified: withoutSecret(verified) }),
  };
}

/** Locks of older releases have whole URLs. */
function withoutSecret(verified: Verified): Verified {
  return verified === 'none' || verified.by !== 'checksum'
    ? verified
    : { ...verified, from: withoutUrlSecrets(verified.from) };
}
