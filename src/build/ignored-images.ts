// The `ignoreImages` of a file or chart in airgap.yaml: images that it names and that are not to be carried.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { didYouMean } from '../core/similar.ts';
import { formatReference, parseReference } from '../oci/reference.ts';

/** As references are compared: in full; what is no reference (a placeholder) as it is written. */
export function inFull(image: string): string {
  try {
    return formatReference(parseReference(image));
  } catch (error) {
    if (isAirgapError(error, 'REFERENCE_INVALID')) return image;
    throw error;
  }
}

/**
 * @param named what the file or chart names
 * @param where names it in the message
 * @throws CONFIG_INVALID for one that is not named there: it would have no effect
 */
export function requireNamed(ignored: readonly string[], named: readonly string[], where: string): void {
  const unknown = ignored.map(inFull).filter((image) => !named.includes(image));
  if (unknown.length === 0) return;
  const faults = unknown.map((image) => `${JSON.stringify(image)} is not named there${didYouMean(image, named)}`);
  throw new AirgapError('CONFIG_INVALID', `"ignoreImages" of ${where}: ${faults.join('; ')}`, {
    hint: 'Correct it, or take it out.',
    details: { named, unknown },
  });
}
