// `verify`: every body of an open bundle, chunk by chunk. All that is damaged is named at once: file, range, and the images
// that would miss it.
import { CHUNK_SIZE } from '../core/chunks.ts';
import type { Digest } from '../core/digest.ts';
import { digestOf } from '../core/digest.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { walkGraph } from '../oci/copy.ts';
import { blobPath, type BundleEntry, type BundleImage } from './manifest.ts';
import type { Bundle } from './reader.ts';

export interface VerifyResult {
  /** Bytes of all bodies. */
  readonly bytes: number;
  readonly entries: number;
}

export interface Damage {
  readonly path: string;
  /** File and offset. */
  readonly where: string;
  /** Offset in the body, and bytes from there that cannot be trusted. */
  readonly start: number;
  readonly size: number;
}

/** Ranges named in the message; details hold up to a thousand. */
const SHOWN = 5;
const KEPT = 1000;
const EMPTY = digestOf(Buffer.alloc(0));

/** @throws BUNDLE_CORRUPT with every damaged range */
export async function verifyBundle(bundle: Bundle, options: Activity = {}): Promise<VerifyResult> {
  const { entries } = bundle.manifest;
  const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
  options.report?.({ type: 'phase', phase: `verifying ${bundle.manifest.name}`, total: bytes });
  const damage: Damage[] = [];
  const buffer = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  for (const entry of entries) {
    for await (const found of checkEntry(bundle, entry, { ...options, buffer }))
      if (damage.push(found) > KEPT) damage.length = KEPT;
  }
  if (damage.length > 0) throw await corrupt(bundle, damage);
  return { bytes, entries: entries.length };
}

async function* checkEntry(
  bundle: Bundle,
  entry: BundleEntry,
  options: Activity & { buffer: Buffer },
): AsyncGenerator<Damage> {
  if (entry.size === 0 && entry.digest !== EMPTY) yield { path: entry.path, where: 'an empty body', start: 0, size: 0 };
  for (const chunk of bundle.chunks.of(entry)) {
    options.signal?.throwIfAborted();
    if (!(await bundle.chunks.read(entry, chunk, options.buffer))) {
      yield { path: entry.path, where: bundle.chunks.locate(entry, chunk), start: chunk.start, size: chunk.size };
    }
    options.report?.({ type: 'progress', bytes: chunk.size });
  }
}

async function corrupt(bundle: Bundle, damage: readonly Damage[]): Promise<AirgapError> {
  const ranges = damage.slice(0, SHOWN).map(({ path, where, size }) => `${path} (${where}, ${size} bytes)`);
  const more = damage.length > SHOWN ? ` and ${damage.length - SHOWN} more ranges` : '';
  const images = await usedBy(bundle, new Set(damage.map(({ path }) => path)));
  const use =
    images.length === 0
      ? ''
      : `; needed by ${images.slice(0, SHOWN).join(', ')}${images.length > SHOWN ? `, … (${images.length} images)` : ''}`;
  return new AirgapError('BUNDLE_CORRUPT', `damaged: ${ranges.join(', ')}${more}${use}`, {
    hint: 'Carry the named file over again. Nothing of a damaged bundle is loaded.',
    details: { damage, images },
  });
}

/** Images whose graph reaches a damaged blob, or cannot be read any more because of one. */
async function usedBy(bundle: Bundle, paths: ReadonlySet<string>): Promise<string[]> {
  const names: string[] = [];
  for (const image of bundle.manifest.images) if (await needs(bundle, image, paths)) names.push(image.name);
  return names;
}

async function needs(bundle: Bundle, image: BundleImage, paths: ReadonlySet<string>): Promise<boolean> {
  try {
    const graph = await walkGraph(bundle, [image, ...image.accompanying]);
    const digests: Digest[] = graph.map((descriptor) => descriptor.digest);
    return digests.some((digest) => paths.has(blobPath(digest)));
  } catch (error) {
    if (isAirgapError(error)) return true;
    throw error;
  }
}
