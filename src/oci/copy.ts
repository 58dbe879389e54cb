// The central verb: copy a graph of descriptors from a source to a target, children before parents, so that a crash never
// leaves a manifest whose content is not there.
import { AirgapError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import type { Activity } from '../core/events.ts';
import { Semaphore, settle } from '../core/pool.ts';
import { borrowed } from './content.ts';
import type { Descriptor } from './descriptor.ts';
import { isNode, readManifest, successors } from './manifest.ts';
import type { Content, Fetcher, Store } from './target.ts';

/** A graph deeper or larger than this is refused: real images have two levels and some dozens of nodes. */
const MAX_DEPTH = 16;
const MAX_NODES = 100_000;
/** Each manifest is a request of its own. */
const MAX_MANIFESTS = 5000;

export interface CopyOptions extends Activity {
  /** Turns to transfer, shared by copies that go on at the same time: each holds buffers. Four of its own by default. */
  readonly transfers?: Semaphore | undefined;
  /** Told of bytes newly stored, each once. */
  readonly progress?: ((bytes: number) => void) | undefined;
}

export interface CopyResult {
  /** Nodes and blobs that the target did not have. */
  readonly copied: number;
  readonly skipped: number;
  /** Bytes of what was copied. */
  readonly bytes: number;
}

/**
 * Copies the graphs below `roots`, each digest once however many roots share it. Every node is asked for, since a
 * registry that has the parent may have lost a child. The first failure stops the copy.
 * @throws CONTENT_MISSING, DIGEST_MISMATCH, MANIFEST_INVALID and what source and target throw
 */
export async function copyGraph(
  source: Fetcher,
  target: Store,
  roots: readonly Descriptor[],
  options: CopyOptions = {},
): Promise<CopyResult> {
  const failure = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal;
  const transfers = options.transfers ?? new Semaphore(4);
  const started = new Map<Digest, { readonly descriptor: Descriptor; readonly copied: Promise<void> }>();
  const result = { copied: 0, skipped: 0, bytes: 0 };
  let manifests = 0;

  const inTurn = <T>(task: () => Promise<T>): Promise<T> =>
    transfers.run(async () => {
      signal.throwIfAborted(); // the turn may have come after a failure
      try {
        return await task();
      } catch (error) {
        failure.abort(error); // before the turn passes on
        throw error;
      }
    });
  const transfer = async (descriptor: Descriptor): Promise<void> => {
    if (await target.exists(descriptor, { signal })) {
      result.skipped++;
      return;
    }
    signal.throwIfAborted();
    const content: Content = {
      open: (start) => source.fetch(descriptor, { start, signal }),
      borrow: (start) => borrowed(source, descriptor, { start, signal }),
    };
    await target.push(descriptor, content, { signal, progress: options.progress });
    result.copied++;
    result.bytes += descriptor.size;
  };
  const copy = (descriptor: Descriptor, depth: number): Promise<void> => {
    const running = started.get(descriptor.digest);
    if (running)
      return sameThing(running.descriptor, descriptor) ? running.copied : Promise.reject(twoThings(descriptor));
    if (depth > MAX_DEPTH || started.size >= MAX_NODES) return Promise.reject(tooLarge());
    const copied = copyNode(descriptor, depth).catch((error: unknown) => {
      failure.abort(error);
      throw error;
    });
    started.set(descriptor.digest, { descriptor, copied });
    return copied;
  };
  const copyNode = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (isNode(descriptor)) {
      if (++manifests > MAX_MANIFESTS) throw tooLarge();
      const node = await inTurn(() => readManifest(source, descriptor, { signal }));
      await settle(successors(node).map((child) => copy(child, depth + 1)));
    }
    await inTurn(() => transfer(descriptor));
  };

  try {
    await settle(roots.map((root) => copy(root, 1)));
  } catch (error) {
    options.signal?.throwIfAborted();
    throw failure.signal.aborted ? failure.signal.reason : error;
  }
  return result;
}

/**
 * All descriptors of the graphs below `roots`, each digest once, children before parents. Manifests are read from
 * `source` and verified; blobs are only named.
 */
export async function walkGraph(
  source: Fetcher,
  roots: readonly Descriptor[],
  options: Activity = {},
): Promise<Descriptor[]> {
  const seen = new Map<Digest, Descriptor>();
  const found: Descriptor[] = [];
  let manifests = 0;
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const before = seen.get(descriptor.digest);
    if (before && !sameThing(before, descriptor)) throw twoThings(descriptor);
    if (before) return;
    if (depth > MAX_DEPTH || seen.size >= MAX_NODES) throw tooLarge();
    seen.set(descriptor.digest, descriptor);
    if (isNode(descriptor)) {
      if (++manifests > MAX_MANIFESTS) throw tooLarge();
      const node = await readManifest(source, descriptor, { signal: options.signal });
      for (const child of successors(node)) await visit(child, depth + 1);
    }
    found.push(descriptor);
  };
  for (const root of roots) await visit(root, 1);
  return found;
}

/** Media types of blobs may differ; but what is a node in one place and a leaf in another has successors or has none. */
function sameThing(a: Descriptor, b: Descriptor): boolean {
  return a.size === b.size && isNode(a) === isNode(b);
}

function twoThings({ digest }: Descriptor): AirgapError {
  return new AirgapError('MANIFEST_INVALID', `${digest} is named with two sizes, or as a manifest and as a blob`);
}

function tooLarge(): AirgapError {
  return new AirgapError(
    'MANIFEST_INVALID',
    `an image with more than ${MAX_MANIFESTS} manifests, ${MAX_NODES} parts or ${MAX_DEPTH} levels is refused`,
  );
}
