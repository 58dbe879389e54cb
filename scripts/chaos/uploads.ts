// Which blob the bytes of an upload belong to. A session names its blob only at its end, and one that was cut off never does; but
// its bytes do.
import type { Digest } from '../../src/core/digest.ts';

interface Session {
  size: number;
  /** Blobs that begin with what has come so far. */
  candidates: readonly Digest[];
}

export class Uploads {
  readonly #known: ReadonlyMap<Digest, Uint8Array>;
  readonly #sessions = new Map<string, Session>();

  /** @param known blobs that may come */
  constructor(known: ReadonlyMap<Digest, Uint8Array>) {
    this.#known = known;
  }

  /** More of a session. */
  add(id: string, bytes: Uint8Array): void {
    const { size, candidates } = this.#sessions.get(id) ?? { size: 0, candidates: [...this.#known.keys()] };
    const begins = (digest: Digest): boolean => {
      const expected = this.#known.get(digest)?.subarray(size, size + bytes.byteLength);
      return expected !== undefined && Buffer.compare(expected, bytes) === 0;
    };
    this.#sessions.set(id, { size: size + bytes.byteLength, candidates: candidates.filter(begins) });
  }

  /** The session became this blob. */
  finished(id: string, digest: Digest): void {
    const session = this.#sessions.get(id);
    if (session) session.candidates = [digest];
  }

  /** Bytes that came for each blob, in all sessions. What may be of several blobs is counted for each. */
  received(): Map<Digest, number> {
    const sums = new Map<Digest, number>();
    for (const { size, candidates } of this.#sessions.values())
      for (const digest of candidates) sums.set(digest, (sums.get(digest) ?? 0) + size);
    return sums;
  }

  /** Bytes that belong to no blob. */
  strange(): number {
    return [...this.#sessions.values()].reduce(
      (sum, { size, candidates }) => sum + (candidates.length === 0 ? size : 0),
      0,
    );
  }
}
