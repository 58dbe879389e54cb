// `lock`: every name of airgap.yaml pinned to a digest.
import type { Activity } from '../core/events.ts';
import { forEach } from '../core/pool.ts';
import { API_VERSION } from '../bundle/manifest.ts';
import type { Lock } from '../bundle/lock.ts';
import { specDigest, type BundleSpec } from '../bundle/spec.ts';
import type { Cache } from '../oci/cache.ts';
import { lockFiles } from './files.ts';
import { resolveImage } from './resolve.ts';
import type { Sources } from './sources.ts';

export interface MakeLockOptions extends Activity {
  readonly cache: Cache;
  readonly sources: Sources;
  /** The folder that relative file paths start from. */
  readonly folder: string;
  /** Images resolved at a time; 8 by default. */
  readonly concurrency?: number;
}

export async function makeLock(spec: BundleSpec, options: MakeLockOptions): Promise<Lock> {
  options.report?.({ type: 'phase', phase: `resolving ${spec.images.length} images` });
  const images = await forEach(
    spec.images,
    async (name, signal) => {
      const image = await resolveImage(name, { ...options, signal, platforms: spec.platforms });
      options.report?.({ type: 'done', what: name, detail: image.digest });
      return image;
    },
    { concurrency: options.concurrency ?? 8, signal: options.signal },
  );
  return {
    apiVersion: API_VERSION,
    kind: 'Lock',
    metadata: spec.metadata,
    spec: specDigest(spec),
    platforms: spec.platforms,
    images,
    files: await lockFiles(spec.files, options.folder),
  };
}
