// `lock`: every name of airgap.yaml pinned to a digest.
import type { Activity } from '../core/events.ts';
import { forEach } from '../core/pool.ts';
import { API_VERSION } from '../bundle/manifest.ts';
import type { Lock } from '../bundle/lock.ts';
import { specDigest, type BundleSpec } from '../bundle/spec.ts';
import type { CatalogueText } from '../catalog/overrides.ts';
import type { Cache } from '../oci/cache.ts';
import { lockFiles } from './files/lock-files.ts';
import { noAdding, noDownloads } from './files/no-downloads.ts';
import { wantedFiles } from './files/wanted-files.ts';
import { fromSources } from './from-sources.ts';
import { unlessGone, type GoneOptions } from './gone.ts';
import { keyTexts, type TrustedKeys } from './image-signatures.ts';
import { resolveImage } from './resolve.ts';
import type { Sources } from './sources.ts';
import { wantedBySpec } from './wanted-by-spec.ts';

export interface MakeLockOptions extends Activity, GoneOptions {
  readonly cache: Cache;
  readonly sources: Sources;
  /** The folder that relative file paths start from. */
  readonly folder: string;
  /** The catalogue file that the specification names. */
  readonly catalogueFile?: CatalogueText | undefined;
  /** Each key that `signatures` names. */
  readonly keys: TrustedKeys;
  /** Apply the newest rules to versions that the catalogue does not know. */
  readonly allowUnknownVersion?: boolean;
  /** Images resolved at a time; 8 by default. */
  readonly concurrency?: number;
}

/** @throws SIGNATURE_INVALID, what resolving fails with, and the catalogue's refusals (see `selectImages`) */
export async function makeLock(spec: BundleSpec, options: MakeLockOptions): Promise<Lock> {
  const wanted = wantedBySpec(spec, options);
  for (const message of wanted.notes) options.report?.({ type: 'warning', message });
  const taken = fromSources(wanted.images, spec.sources);
  const policy = { signatures: spec.signatures, keys: options.keys };
  options.report?.({ type: 'phase', phase: `resolving ${taken.length} images` });
  const images = await forEach(
    taken,
    async ({ name, from, platforms, uses }, signal) => {
      const resolve = { ...options, signal, platforms, from, policy };
      const image = await unlessGone(name, () => resolveImage(name, resolve), options);
      if (image === undefined) return [];
      options.report?.({ type: 'done', what: name, detail: image.digest });
      return [uses === undefined ? image : { ...image, uses: [...uses] }];
    },
    { concurrency: options.concurrency ?? 8, signal: options.signal },
  );
  return {
    apiVersion: API_VERSION,
    kind: 'Lock',
    metadata: spec.metadata,
    spec: specDigest(spec, { catalogue: options.catalogueFile?.text, keys: keyTexts(options.keys) }),
    platforms: spec.platforms,
    ...(wanted.selection === undefined ? {} : { selection: wanted.selection }),
    images: images.flat(),
    files: await lockFiles(wantedFiles({ files: spec.files, platforms: spec.platforms }), {
      ...{ cache: { ...options.cache, ...noAdding }, web: noDownloads, folder: options.folder },
      ...{ imagesIn: () => [], signal: options.signal },
    }),
  };
}
