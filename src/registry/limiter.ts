// How many requests are under way at a time, found out from the registry: a little more with every answer, half as many
// when it says that it is too much (429).

const START = 8;
const MOST = 64;

/** A semaphore whose limit adapts: additive increase, multiplicative decrease. */
export class Limiter {
  #limit = START;
  #running = 0;
  /** Grows with each decrease; what started before one does not count for another. */
  #era = 0;
  readonly #waiting: (() => void)[] = [];

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /**
   * Runs `task` when there is room. What it answers says whether it went well (`grow`) or met the registry's own limit
   * (`shrink`).
   */
  async run<T>(
    task: () => Promise<T>,
    judge: (result: T) => 'grow' | 'shrink' | 'keep',
    signal?: AbortSignal,
  ): Promise<T> {
    await this.#enter(signal);
    const era = this.#era;
    try {
      const result = await task();
      this.#adapt(judge(result), era);
      return result;
    } finally {
      this.#running--;
      this.#admit();
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#running < this.limit) {
      this.#running++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal?.reason as Error);
      };
      this.#waiting.push(enter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  #admit(): void {
    while (this.#running < this.limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running++;
      next();
    }
  }

  #adapt(verdict: 'grow' | 'shrink' | 'keep', era: number): void {
    if (verdict === 'grow') this.#limit = Math.min(MOST, this.#limit + 1 / this.#limit);
    if (verdict !== 'shrink' || era !== this.#era) return;
    this.#era++;
    this.#limit = Math.max(1, this.#limit / 2);
  }
}
