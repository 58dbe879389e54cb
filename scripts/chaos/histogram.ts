// Where kills landed: phase, and tenth of its duration.

const TENTHS = 10;

export interface Row {
  readonly phase: string;
  /** Kills in each tenth. */
  readonly tenths: readonly number[];
}

export class Histogram {
  readonly #rows = new Map<string, number[]>();

  /** @param share of the phase's duration that was over; what goes on for longer than usual belongs to the last tenth */
  landed(phase: string, share: number): void {
    const tenths = this.#tenths(phase);
    const tenth = Math.min(TENTHS - 1, Math.floor(share * TENTHS));
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }

  /** In the order in which phases came first. */
  rows(): Row[] {
    return [...this.#rows].map(([phase, tenths]) => ({ phase, tenths }));
  }

  #tenths(phase: string): number[] {
    const tenths = this.#rows.get(phase) ?? Array.from({ length: TENTHS }, () => 0);
    this.#rows.set(phase, tenths);
    return tenths;
  }
}

/** How long a phase takes, as far as it was seen lately: a machine that others use as well changes its speed. */
export class Durations {
  readonly #seen = new Map<string, number[]>();

  see(phase: string, milliseconds: number): void {
    this.#seen.set(phase, [...(this.#seen.get(phase) ?? []), milliseconds]);
  }

  /** The median of the last seven. @throws Error when it was never seen */
  of(phase: string): number {
    const lately = (this.#seen.get(phase) ?? []).slice(-7).sort((a, b) => a - b);
    const middle = lately[Math.floor(lately.length / 2)];
    if (middle === undefined) throw new Error(`the phase ${phase} was never seen from its beginning to its end`);
    return middle;
  }

  /** All that were seen. */
  all(phase: string): readonly number[] {
    return this.#seen.get(phase) ?? [];
  }
}

/** How many of `count` fall to each of `parts`, as even as can be. */
export function shares(count: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, i) => Math.floor((count + parts - 1 - i) / parts));
}
