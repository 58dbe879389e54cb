// What every --json document says of a bundle, by the same names (docs/json.md).
import { countArtifacts } from '../bundle/counted-images.ts';
import type { BundleManifest } from '../bundle/manifest.ts';
import type { Bundle } from '../bundle/reader.ts';
import type { Digest } from '../core/digest.ts';

export interface Counts {
  /** Without what is none: charts, and other artifacts. */
  readonly images: number;
  readonly artifacts: number;
  readonly files?: number;
  readonly entries?: number;
}

export interface BundleFacts {
  readonly name: string;
  readonly digest: Digest;
  readonly sequence: number;
  readonly expires?: string;
  readonly counts: Counts;
}

export function bundleFacts({ manifest, digest }: Pick<Bundle, 'manifest' | 'digest'>): BundleFacts {
  const { name, sequence, expires } = manifest;
  return { name, digest, sequence, ...(expires === undefined ? {} : { expires }), counts: countsOf(manifest) };
}

function countsOf({ images, files, entries }: BundleManifest): Counts {
  const artifacts = countArtifacts(images);
  return { images: images.length - artifacts, artifacts, files: files.length, entries: entries.length };
}

/** Images and artifacts as two lists. */
export function byKind<T extends { readonly artifact?: true; readonly chart?: unknown }>(
  all: readonly T[],
): { readonly images: readonly T[]; readonly artifacts: readonly T[] } {
  const isArtifact = ({ artifact, chart }: T): boolean => artifact === true || chart !== undefined;
  return { images: all.filter((one) => !isArtifact(one)), artifacts: all.filter(isArtifact) };
}
