// Figures of several runs.

export interface Spread {
  readonly median: number;
  readonly from: number;
  readonly to: number;
}

/** @throws Error for no values */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  if (low === undefined || high === undefined) throw new Error('no values');
  return { median: (low + high) / 2, from: sorted[0] ?? low, to: sorted.at(-1) ?? high };
}

/** sha256 of one core, bytes a second. `text` is what `openssl speed` prints. @throws Error when it says something else */
export function opensslSpeed(text: string): number {
  const thousands = /^sha256\s+([0-9.]+)k$/m.exec(text)?.[1];
  if (thousands === undefined) throw new Error(`openssl speed said something else:\n${text}`);
  return Number(thousands) * 1000;
}
