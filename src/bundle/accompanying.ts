// What accompanies an image: signatures, attestations and other referrers, by a word for people.
import type { BundleImage } from './manifest.ts';

type Accompanying = Pick<BundleImage['accompanying'][number], 'artifactType' | 'tag'>;

/** `signature`, `attestation`, `SBOM`, or `referrer` where it says nothing that is known. */
export function accompanyingWord({ tag = '', artifactType = '' }: Accompanying): string {
  if (tag.endsWith('.sig') || /cosign\.(?:artifact\.)?sig|signature|sigstore/i.test(artifactType)) return 'signature';
  if (tag.endsWith('.att') || /in-toto|attestation/i.test(artifactType)) return 'attestation';
  if (tag.endsWith('.sbom') || /spdx|cyclonedx/i.test(artifactType)) return 'SBOM';
  return 'referrer';
}
