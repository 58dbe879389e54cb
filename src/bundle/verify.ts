// `verify`: every body of an open bundle, chunk by chunk. All that is damaged is named at once: file, range, and the images
// that would miss it.
import { chunkBuffers } from '../core/buffers.ts';
import { CHUNK_SIZE } from '../core/chunks.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { forEach } from '../core/pool.ts';
import { walkGraph } from '../oci/copy.ts';
import type { Chunk } from './chunk-table.ts';
import { describeSpans } from './damage.ts';
import type { BundleEntry, BundleImage } from './manifest.ts';
import { blobPath } from './manifest-rules.ts';
import type { Bundle } from './reader.ts';
import type { Span } from './volume-set.ts';

export interface VerifyOptions extends Activity {
  /** Threads that the bundle hashes with; 1 by default. Two chunks of 4 MiB for each are in memory, so that reading overlaps hashing, and twelve at most. */
  readonly workers?: number | undefined;
}

export interface VerifyResult {
  /** Bytes of all bodies. */
  readonly bytes: number;
  readonly entries: number;
}

export interface Damage {
  readonly path: string;
  /** Where it lies on the media. */
  readonly spans: readonly Span[];
  /** Offset in the body, and bytes from there that cannot be trusted. */
  readonly start: number;
  readonly size: number;
  /** Where the bytes cannot even be read. */
  readonly problem?: string;
}

/** Ranges and images named in the message; details hold up to a thousand ranges. */
const SHOWN = 5;
const KEPT = 1000;

/** @throws BUNDLE_CORRUPT with every damaged range */
export async function verifyBundle(bundle: Bundle, options: VerifyOptions = {}): Promise<VerifyResult> {
  const { entries, name } = bundle.manifest;
  const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
  options.report?.({ type: 'phase', phase: `verifying ${name}`, total: bytes });
  const damage: Damage[] = [];
  const queue = chunksOf(bundle, options);
  const worker = async (): Promise<void> => {
    const loan = await chunkBuffers.lend(CHUNK_SIZE, options.signal);
    try {
      for (const [entry, chunk] of queue) {
        options.signal?.throwIfAborted();
        const found = await checkChunk(bundle, { entry, chunk, buffer: loan.bytes });
        if (found) damage.push(found);
        options.report?.({ type: 'progress', bytes: chunk.size });
      }
    } finally {
      loan.giveBack();
    }
  };
  const concurrency = 2 * (options.workers ?? 1);
  await forEach(Array.from({ length: concurrency }), worker, { concurrency, signal: options.signal });
  if (damage.length > 0) throw await corrupt(bundle, inOrder(bundle, damage));
  return { bytes, entries: entries.length };
}

/** What has no chunks (the chunk table) was checked by its digest when the bundle was opened. */
function* chunksOf(bundle: Bundle, { report }: Activity): Generator<[BundleEntry, Chunk]> {
  for (const entry of bundle.manifest.entries) {
    let covered = 0;
    for (const chunk of bundle.chunks.of(entry)) {
      covered += chunk.size;
      yield [entry, chunk];
    }
    if (covered < entry.size) report?.({ type: 'progress', bytes: entry.size - covered });
  }
}

async function checkChunk(
  bundle: Bundle,
  { entry, chunk, buffer }: { entry: BundleEntry; chunk: Chunk; buffer: Buffer },
): Promise<Damage | undefined> {
  const { start, size } = chunk;
  const damage = (): Damage => ({ path: entry.path, spans: bundle.chunks.spans(entry, chunk), start, size });
  try {
    return (await bundle.chunks.read(entry, chunk, buffer)) ? undefined : damage();
  } catch (error) {
    // a bad sector is one more damaged range
    if (isAirgapError(error, 'IO_FAILED')) return { ...damage(), problem: error.message };
    throw error;
  }
}

function inOrder(bundle: Bundle, damage: readonly Damage[]): Damage[] {
  const order = new Map(bundle.manifest.entries.map(({ path }, i) => [path, i]));
  return damage.toSorted((a, b) => (order.get(a.path) ?? 0) - (order.get(b.path) ?? 0) || a.start - b.start);
}

async function corrupt(bundle: Bundle, damage: readonly Damage[]): Promise<AirgapError> {
  const ranges = damage
    .slice(0, SHOWN)
    .map(
      ({ path, spans, size, problem }) =>
        `${path} (${describeSpans(spans)}, ${size} bytes${problem === undefined ? '' : `: ${problem}`})`,
    );
  const more = damage.length > SHOWN ? ` and ${damage.length - SHOWN} more ranges` : '';
  const { images, files } = await usedBy(bundle, new Set(damage.map(({ path }) => path)));
  const users = [...images, ...files];
  const use = users.slice(0, SHOWN).join(', ') + (users.length > SHOWN ? `, … (${users.length} in all)` : '');
  return new AirgapError(
    'BUNDLE_CORRUPT',
    `damaged: ${ranges.join(', ')}${more}${users.length === 0 ? '' : `; needed by ${use}`}`,
    {
      hint: 'Carry the named files of the media over again. Nothing of a damaged bundle is loaded.',
      details: { damage: damage.slice(0, KEPT), ranges: damage.length, images, files },
    },
  );
}

/** Names of images whose graph reaches a damaged blob or cannot be read any more because of one, and of files. */
async function usedBy(bundle: Bundle, paths: ReadonlySet<string>): Promise<{ images: string[]; files: string[] }> {
  const images: string[] = [];
  for (const image of bundle.manifest.images) if (await needs(bundle, image, paths)) images.push(image.name);
  const files = bundle.manifest.files.filter(({ digest }) => paths.has(blobPath(digest))).map(({ name }) => name);
  return { images, files };
}

async function needs(bundle: Bundle, image: BundleImage, paths: ReadonlySet<string>): Promise<boolean> {
  if (image.original && paths.has(blobPath(image.original.digest))) return true;
  try {
    const graph = await walkGraph(bundle, [image, ...image.accompanying]);
    return graph.some(({ digest }) => paths.has(blobPath(digest)));
  } catch (error) {
    if (isAirgapError(error)) return true;
    throw error;
  }
}
