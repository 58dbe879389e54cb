// What an image is called in a bundle. The enclave asks for images by tag, so a digest that was written after a name says what to
// take, and is no part of what it is called.
import { hexOf } from '../core/digest.ts';
import { formatReference, parseReference } from '../oci/reference.ts';

export interface CarriedName {
  readonly name: string;
  /** What it is taken by, where that is not its name. */
  readonly reference?: string;
}

/** An image that is named by its digest alone is pulled by that; its tag is for a registry to keep it. */
export function carriedName(text: string): CarriedName {
  const { digest, ...rest } = parseReference(text);
  if (digest === undefined) return { name: formatReference(rest) };
  const { tag = `pinned-${hexOf(digest).slice(0, 12)}` } = rest;
  return { name: formatReference({ ...rest, tag }), reference: formatReference({ ...rest, digest }) };
}
