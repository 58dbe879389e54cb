// Tags that stand for a relation: cosign's signatures, attestations and SBOMs, and the fallback of the referrers API.
import { hexOf, type Digest } from '../core/digest.ts';

/** Where cosign stores what belongs to an image (cosign SIGNATURE_SPEC.md). */
export function cosignTags(subject: Digest): string[] {
  return ['sig', 'att', 'sbom'].map((kind) => `sha256-${hexOf(subject)}.${kind}`);
}

/** The tag of an index that lists referrers where a registry has no API for them (distribution-spec, referrers tag schema). */
export function referrersTag(subject: Digest): string {
  return `sha256-${hexOf(subject)}`;
}
