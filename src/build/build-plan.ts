// What a build will fetch and write, from the manifests alone, before the first byte of either; and whether there is room.
// Sizes are those of what is carried: headers, and the documents that a bundle makes of itself, come to little more.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../core/digest.ts';
import { hexOf } from '../core/digest.ts';
import { spaceAt, type DiskSpace, type SpaceAt } from '../core/disk-space.ts';
import { AirgapError } from '../core/errors.ts';
import { formatBytes } from '../core/byte-count.ts';
import { forEach } from '../core/pool.ts';
import type { BundleInstaller } from '../bundle/manifest.ts';
import { README_FILE, SUMS_FILE, SUMS_SIGNATURE_FILE, TRANSFER_FILE } from '../bundle/media-folder.ts';
import { BLOCK } from '../bundle/tar.ts';
import { volumeNames } from '../bundle/volumes.ts';
import type { Cache } from '../oci/cache.ts';
import type { Descriptor } from '../oci/descriptor.ts';

export interface SizeOptions {
  readonly cache: Cache;
  /** Folder of the cache. */
  readonly cacheFolder: string;
  readonly space?: SpaceAt | undefined;
}

export interface PlanOptions extends SizeOptions {
  readonly media: string;
  /** `<name>.tar` */
  readonly fileName: string;
  readonly volumeSize?: number | undefined;
  readonly installers: readonly BundleInstaller[];
  /** Names in the media folder that go before the bundle is written. */
  readonly others?: readonly string[];
}

/** Bytes at one place. */
export interface PlannedPlace {
  readonly path: string;
  /** What the files there will have. */
  readonly needed: number;
  /** What of it is there already. */
  readonly there: number;
  /** Undefined where the system does not say. */
  readonly free?: number;
}

export interface BundleSizes {
  /** About; the bundle has as many bytes at least. */
  readonly bundleSize: number;
  readonly blobs: number;
  readonly toFetch: { readonly blobs: number; readonly bytes: number };
  readonly cache: PlannedPlace;
}

export interface BuildPlan extends BundleSizes {
  /** Names that will lie in the media folder; how many volumes is an estimate. */
  readonly files: readonly string[];
  readonly output: PlannedPlace;
  /** Whether output and cache are on one file system, and share what is free. */
  readonly together: boolean;
}

/** @param wanted everything that a lock pins; the same one may come twice */
export async function sizesOf(wanted: readonly Descriptor[], options: SizeOptions): Promise<BundleSizes> {
  const { cacheFolder, space = spaceAt } = options;
  const blobs = [...new Map<Digest, Descriptor>(wanted.map((blob) => [blob.digest, blob])).values()];
  const cached = await forEach(blobs, (blob) => cachedBytes(blob, options), { concurrency: 16 });
  const missing = cached.filter(({ whole }) => !whole);
  return {
    bundleSize: sum(blobs.map(({ size }) => BLOCK + Math.ceil(size / BLOCK) * BLOCK)),
    blobs: blobs.length,
    toFetch: { blobs: missing.length, bytes: sum(missing.map(({ size, there }) => size - there)) },
    cache: {
      path: cacheFolder,
      needed: sum(cached.map(({ size }) => size)),
      there: sum(cached.map(({ there }) => there)),
      ...freeOf(await space(cacheFolder)),
    },
  };
}

/**
 * @param wanted as for `sizesOf`
 * @throws DISK_FULL, USAGE (a file system of small files, and no volumes)
 */
export async function planBuild(wanted: readonly Descriptor[], options: PlanOptions): Promise<BuildPlan> {
  const { media, fileName, installers, cacheFolder, volumeSize, space = spaceAt } = options;
  const sizes = await sizesOf(wanted, options);
  const [outside, inside] = [await space(media), await space(cacheFolder)];
  const bundle = volumeNames(fileName, sizes.bundleSize, volumeSize);
  const names = [...bundle, ...installers.map(({ name }) => name)];
  const needed = sizes.bundleSize + sum(installers.map(({ size }) => size));
  const there = await bytesThere(names, needed, options);
  const plan: BuildPlan = {
    ...sizes,
    files: [...names, README_FILE, TRANSFER_FILE, SUMS_FILE, SUMS_SIGNATURE_FILE],
    output: { path: media, needed, there, ...freeOf(outside) },
    together: outside !== undefined && outside.device === inside?.device,
  };
  requireFiles(plan, outside, options);
  requireRoom(plan);
  return plan;
}

interface CachedBytes {
  readonly size: number;
  readonly whole: boolean;
  readonly there: number;
}

/** What an interrupted download left counts too. */
async function cachedBytes(blob: Descriptor, { cache, cacheFolder }: SizeOptions): Promise<CachedBytes> {
  const { size } = blob;
  if (await cache.exists(blob)) return { size, whole: true, there: size };
  const left = await sizeOf(join(cacheFolder, 'ingest', hexOf(blob.digest)));
  return { size, whole: false, there: Math.min(size, left) };
}

/** Of the files that will be written, whole or begun, and of those that go before. */
async function bytesThere(names: readonly string[], needed: number, options: PlanOptions): Promise<number> {
  const sizes = (of: readonly string[]): Promise<number[]> =>
    Promise.all(of.map((name) => sizeOf(join(options.media, name))));
  const written = sum(await sizes(names.flatMap((name) => [name, `${name}.partial`])));
  return Math.min(written, needed) + sum(await sizes(options.others ?? []));
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

function freeOf(space: DiskSpace | undefined): { free?: number } {
  return space === undefined ? {} : { free: space.free };
}

/** @throws USAGE */
function requireFiles({ bundleSize }: BuildPlan, space: DiskSpace | undefined, options: PlanOptions): void {
  const { largestFile = Infinity } = space ?? {};
  if (Math.min(bundleSize, options.volumeSize ?? bundleSize) <= largestFile) return;
  throw new AirgapError(
    'USAGE',
    `${options.media} is on a file system (FAT) whose files have at most ${formatBytes(largestFile)}, and ${options.fileName} will have ${formatBytes(bundleSize)}`,
    { hint: 'Write it in volumes with --volume-size 4G.', details: { bundleSize, largestFile } },
  );
}

/** @throws DISK_FULL */
function requireRoom({ output, cache, together }: BuildPlan): void {
  const [outside, inside] = [output, cache].map((place) => Math.max(0, place.needed - place.there));
  if (together)
    return requireFree(output, (outside ?? 0) + (inside ?? 0), `${output.path} and the cache (${cache.path})`);
  requireFree(cache, inside ?? 0, `the cache (${cache.path})`);
  requireFree(output, outside ?? 0, output.path);
}

function requireFree({ free }: PlannedPlace, needed: number, where: string): void {
  if (free === undefined || needed <= free) return;
  throw new AirgapError(
    'DISK_FULL',
    `${where}: ${formatBytes(needed)} are still to be written, and ${formatBytes(free)} are free`,
    {
      hint: 'Free space there, or name another place with --out or --cache. Nothing was fetched.',
      details: { needed, free },
    },
  );
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
