// Randomness that can be had again: the same seed gives the same draws on every machine.

export interface Seeded {
  /** From 0 to before `limit`, a whole number. */
  below(limit: number): number;
  /** From `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
  bytes(length: number): Buffer;
}

/** @param seed a whole number; @param stream another sequence of the same seed */
export function seeded(seed: number, stream = 0): Seeded {
  const next = mulberry32(seed ^ Math.imul(stream, 0x9e3779b1));
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('there is nothing to pick from');
      return item;
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}

/** Small, and the same everywhere. From 0 to before 1. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
