// A store that passes everything on and counts, by digest, what it was asked for.
import type { Digest } from '../../src/core/digest.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { Store } from '../../src/oci/target.ts';

export interface CountingStore extends Store {
  /** Streams that somebody began to read. */
  readonly fetches: Counts;
  readonly pushes: Counts;
  readonly asked: Counts;
  /** The most calls that were under way at one time. */
  readonly most: () => number;
}

export interface Counts {
  of(digest: Digest): number;
  digests(): Digest[];
  total(): number;
}

export function counting(store: Store): CountingStore {
  const [fetches, pushes, asked] = [counter(), counter(), counter()];
  let running = 0;
  let most = 0;
  const during = async <T>(task: () => Promise<T>): Promise<T> => {
    most = Math.max(most, ++running);
    try {
      return await task();
    } finally {
      running--;
    }
  };
  return {
    fetches,
    pushes,
    asked,
    most: () => most,
    async *fetch(descriptor, options) {
      fetches.add(descriptor);
      yield* store.fetch(descriptor, options);
    },
    exists: (descriptor, options) => {
      asked.add(descriptor);
      return during(() => store.exists(descriptor, options));
    },
    push: (descriptor, content, options) => {
      pushes.add(descriptor);
      return during(() => store.push(descriptor, content, options));
    },
  };
}

function counter(): Counts & { add(descriptor: Descriptor): void } {
  const counts = new Map<Digest, number>();
  return {
    add: ({ digest }) => void counts.set(digest, (counts.get(digest) ?? 0) + 1),
    of: (digest) => counts.get(digest) ?? 0,
    digests: () => [...counts.keys()],
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
  };
}
