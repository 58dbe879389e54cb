// `build`: lock to media folder. Fetch, pack, write; every step goes on where an earlier run stopped.
import { digestOf, hexOf, type Digest } from '../core/digest.ts';
import type { SpaceAt } from '../core/disk-space.ts';
import { ensureFolder } from '../core/files.ts';
import { settle } from '../core/pool.ts';
import { countArtifacts } from '../bundle/counted-images.ts';
import { encodeLock, type Lock } from '../bundle/lock.ts';
import { readmeText, type MediaFacts } from '../bundle/media.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { encodeBundleManifest } from '../bundle/manifest.ts';
import { claimMedia, type MediaFolder, type WantedMedia } from '../bundle/media-folder.ts';
import { contentsOfBundle, type Contents } from '../bundle/contents.ts';
import { differenceOf } from '../bundle/difference.ts';
import type { Since } from '../bundle/transfer/changes.ts';
import { transferHtml, type Handover, type TransferFacts } from '../bundle/transfer/page.ts';
import { writeBundle, type WrittenFile } from '../bundle/writer.ts';
import { proveClosure, requireComplete } from '../catalog/proof.ts';
import { targetNames } from '../catalog/target-names.ts';
import type { Signer } from '../signing/signer.ts';
import { formatSums } from '../signing/sums.ts';
import type { ProcessIdentity } from '../core/file-lock.ts';
import type { Hashing } from '../core/hashing.ts';
import { planBuild, type BuildPlan } from './build-plan.ts';
import { fetchLocked, readLocked, type FetchLockedOptions } from './fetch.ts';
import type { SignaturePolicy } from './image-signatures.ts';
import { placeInstaller, type Installer } from './installers.ts';
import { requireRecordable } from './recordable-lock.ts';
import { imageSizes } from './image-sizes.ts';
import { checkLockedSignatures } from './locked-signatures.ts';
import { damagedBlob } from './damaged-blob.ts';
import { placeSums, placeText, removeListed } from './media-texts.ts';
import { dropDamaged } from './mend-cache.ts';
import { packBundle, type PackedBundle, type PackOptions } from './pack.ts';

export interface BuildOptions
  extends FetchLockedOptions, Pick<PackOptions, 'sequence' | 'sourceDateEpoch' | 'expires'> {
  /** Folder to write: the bundle or its volumes, installers, SHA256SUMS and its signature, README.txt, transfer.html. */
  readonly media: string;
  /** Bytes of a volume; one file by default. */
  readonly volumeSize?: number | undefined;
  /** Folder of the cache. */
  readonly cacheFolder: string;
  readonly space?: SpaceAt | undefined;
  /** Put the bundle in the place of another build that lies in the folder. */
  readonly replace?: boolean;
  /** Programs to put beside the bundle. */
  readonly installers?: readonly Installer[];
  readonly signer: Signer;
  /** Sees what will be fetched and written, before the first byte of it. */
  readonly planned?: ((plan: BuildPlan) => void) | undefined;
  /** What airgap.yaml asks of upstream's signatures. */
  readonly policy: SignaturePolicy;
  /** Of this program. */
  readonly version: string;
  readonly self: ProcessIdentity;
  readonly hashing?: Hashing | undefined;
  /** What transfer.html says of the transfer; lines to fill in by default. */
  readonly handover?: Handover;
  readonly since?: BuildSince | undefined;
}

/** What the new bundle is compared with, for transfer.html. */
export interface BuildSince extends Pick<Since, 'name' | 'digest'> {
  readonly contents: Contents;
}

export interface BuildResult {
  readonly files: readonly WrittenFile[];
  readonly bundleDigest: Digest;
  readonly bundleSize: number;
  readonly sequence: number;
  readonly expires?: string;
  /** Images and artifacts. */
  readonly images: number;
  /** Those that are no images. */
  readonly artifacts: number;
  /** Body bytes written this time; 0 when the bundle was there already. */
  readonly written: number;
}

/**
 * Nothing is fetched for a bundle that could not be complete by its lock, and nothing is written of one that is not complete
 * by its content.
 * @throws BUNDLE_INCOMPLETE, NAME_COLLISION, FILE_EXISTS (the folder holds something else), CONTENT_MISSING, DIGEST_MISMATCH,
 * SIGNATURE_INVALID, DISK_FULL, the registry's errors; never leaves a bundle that is not whole
 */
export async function build(lock: Lock, options: BuildOptions): Promise<BuildResult> {
  const wanted = requireBuildable(lock, options);
  await claimMedia(wanted);
  const mended = new Set<Digest>();
  for (;;) {
    const locked = await readLocked(lock, options);
    const plan = await planOf(locked.wanted, wanted, options);
    if (mended.size === 0) options.planned?.(plan);
    await ensureFolder(options.media);
    await fetchLocked(lock, locked, options);
    try {
      await checkLockedSignatures(lock, options.cache, { ...options.policy, signal: options.signal });
      const packed = await packBundle(lock, options.cache, { ...options, installers: wanted.installers });
      requireComplete(proveClosure(lock, packed.images));
      const folder = await claimMedia({ ...wanted, manifest: encodeBundleManifest(packed.manifest) });
      return await writeMedia(packed, folder, { ...options, lock });
    } catch (error) {
      const damaged = damagedBlob(error);
      if (damaged === undefined || mended.has(damaged)) throw error;
      mended.add(damaged);
      await dropDamaged(damaged, lock, options);
    }
  }
}

/** What `build` would fetch and write. Writes nothing but manifests, and charts, into the cache. @throws as `build` */
export async function dryRun(lock: Lock, options: Omit<BuildOptions, 'signer' | 'policy'>): Promise<BuildPlan> {
  const wanted = requireBuildable(lock, options);
  const { wanted: blobs } = await readLocked(lock, options);
  return planOf(blobs, wanted, options);
}

type PlannedOptions = Omit<BuildOptions, 'signer' | 'policy'>;

/** What can be refused by the lock alone is. */
function requireBuildable(
  lock: Lock,
  { installers = [], media, replace = false, report }: PlannedOptions,
): WantedMedia {
  requireRecordable(lock);
  targetNames(lock.images, { prefix: '' });
  const promised = proveClosure(lock, lock.images);
  requireComplete(promised);
  for (const { collisions } of promised.settings)
    for (const message of collisions) report?.({ type: 'warning', message });
  return {
    folder: media,
    fileName: `${lock.metadata.name}.tar`,
    lock: digestOf(encodeLock(lock)),
    installers: installers.map(({ name, digest, size }) => ({ name, digest, size })),
    replace,
  };
}

async function planOf(blobs: readonly Descriptor[], wanted: WantedMedia, options: PlannedOptions): Promise<BuildPlan> {
  const { others } = await claimMedia(wanted);
  return planBuild(blobs, { ...options, fileName: wanted.fileName, installers: wanted.installers, others });
}

async function placeInstallers(
  { listed }: MediaFolder,
  { installers = [], media, replace = false, ...options }: BuildOptions,
): Promise<WrittenFile[]> {
  for (const installer of installers) await placeInstaller(installer, media, { ...options, listed, replace });
  return installers.map(({ name, size, digest }) => ({ path: name, size, sha256: hexOf(digest) }));
}

/** What is on the page beside what was written. */
async function transferFacts(
  { manifest }: PackedBundle,
  options: BuildOptions & { lock: Lock },
): Promise<Omit<TransferFacts, keyof MediaFacts>> {
  const { lock, cache, signal, handover = {}, since, version } = options;
  const difference = since && differenceOf(since.contents, contentsOfBundle(manifest, lock));
  return {
    lock,
    sizes: await imageSizes(lock, cache, { signal }),
    handover,
    since: since && difference && { ...since, difference },
    version,
  };
}

async function writeMedia(
  packed: PackedBundle,
  folder: MediaFolder,
  options: BuildOptions & { lock: Lock },
): Promise<BuildResult> {
  const { manifest, chunkTable, source } = packed;
  const { media, volumeSize, signer, self, hashing, signal, report } = options;
  await removeListed(folder.others, media);
  const bodies = manifest.entries.reduce((sum, body) => sum + body.size, 0);
  report?.({ type: 'phase', phase: `writing ${manifest.name}.tar`, total: bodies });
  const bundle = writeBundle(
    manifest,
    { chunkTable, source },
    { folder: media, fileName: `${manifest.name}.tar`, volumeSize, signer, self, hashing, signal, report },
  );
  const [written, installers] = await settle([bundle, placeInstallers(folder, options)]);
  report?.({ type: 'step', step: 'build:installers' });
  const { fingerprint } = signer.publicKey;
  const facts = { files: written.files, installers, fingerprint, bundleDigest: written.bundleDigest };
  const page = transferHtml(manifest, { ...facts, ...(await transferFacts(packed, options)) });
  const texts = {
    'README.txt': Buffer.from(readmeText(manifest, facts)),
    'transfer.html': Buffer.from(page),
  };
  const files: WrittenFile[] = [...written.files, ...installers];
  const placing = { media, listed: folder.listed, replace: options.replace === true, signal, report };
  for (const [name, bytes] of Object.entries(texts)) {
    await placeText(name, bytes, placing);
    files.push({ path: name, size: bytes.byteLength, sha256: hexOf(digestOf(bytes)) });
  }
  const sums = Buffer.from(formatSums(files.map(({ path, sha256 }) => ({ name: path, sha256 }))));
  await placeSums(sums, signer, placing);
  const names = new Set(files.map(({ path }) => path));
  await removeListed(
    [...folder.listed.keys()].filter((name) => !names.has(name)),
    media,
  );
  report?.({ type: 'step', step: 'build:media' });
  return {
    files,
    bundleDigest: written.bundleDigest,
    bundleSize: written.files.reduce((sum, file) => sum + file.size, 0),
    sequence: manifest.sequence,
    ...(manifest.expires === undefined ? {} : { expires: manifest.expires }),
    images: manifest.images.length,
    artifacts: countArtifacts(manifest.images),
    written: written.written,
  };
}
