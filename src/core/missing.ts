// By-products: what is left beside the work (a receipt, a record), or goes along with it (a signature of an image). One that
// cannot be had never fails the work: it is named, and `--strict` makes it an error.
import { AirgapError } from './errors.ts';
import type { Missing } from './events.ts';

export function describeMissing({ what, of, where, why }: Missing): string {
  return `the ${what}${of === undefined ? '' : ` of ${of}`} is missing (${where}): ${why}`;
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
