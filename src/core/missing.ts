// By-products: what is left beside the work (a receipt, a record), or goes along with it (a signature of an image). One that
// cannot be had never fails the work: it is named, and `--strict` makes it an error.
import { AirgapError } from './errors.ts';
import type { Activity } from './events.ts';

/** A by-product that is not there, though the work is done. */
export interface Missing {
  /** For people, in the middle of a sentence: `receipt in the registry`, `signature`. */
  readonly what: string;
  /** The image that it belongs to. */
  readonly of?: string;
  /** The reference, file or folder where it would be, or is looked for. */
  readonly where: string;
  readonly why: string;
  /** The way out. */
  readonly hint?: string;
}

export function describeMissing({ what, of, where, why }: Missing): string {
  return `the ${what}${of === undefined ? '' : ` of ${of}`} is missing (${where}): ${why}`;
}

/** Says that each is missing. */
export function warnMissing(missing: readonly Missing[], report: Activity['report']): void {
  for (const one of missing) report?.({ type: 'warning', message: describeMissing(one) });
}

/** @param done what is done, or is not, as the begin of a sentence. @throws BY_PRODUCT_MISSING where there is any */
export function requireNoneMissing(missing: readonly Missing[], done: string): void {
  const [first] = missing;
  if (first === undefined) return;
  throw new AirgapError('BY_PRODUCT_MISSING', `${done}: ${missing.map(describeMissing).join('; ')}`, {
    hint: first.hint ?? 'Leave out --strict to take this as a warning.',
    details: { missing },
  });
}
