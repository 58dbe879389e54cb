// What a lock says of its images' signatures, checked again: a lock is a file that can be edited.
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { describeVerified, type Lock, type LockedImage, type Verified } from '../bundle/lock.ts';
import type { Fetcher } from '../oci/target.ts';
import { vouchedBy, type SignaturePolicy } from './image-signatures.ts';
import { namingImage } from './resolve.ts';

/**
 * @param source has all that the lock pins
 * @throws SIGNATURE_INVALID, naming the image
 */
export async function checkLockedSignatures(
  lock: Lock,
  source: Fetcher,
  policy: SignaturePolicy & Activity,
): Promise<void> {
  for (const image of lock.images) {
    const check = async (): Promise<void> => {
      const truth = await truthOf(image, source, policy);
      if (describeVerified(truth) !== describeVerified(image.verified)) throw claimsOtherwise(image.verified, truth);
    };
    await namingImage(image.name, check, image.from);
  }
}

/** A chart from a chart repository is not signed by cosign; what else vouches for it is checked elsewhere. */
async function truthOf(image: LockedImage, source: Fetcher, policy: SignaturePolicy & Activity): Promise<Verified> {
  const { chart, verified } = image;
  if (chart === undefined) return vouchedBy(source, image, policy);
  return verified !== 'none' && verified.by === 'cosign' ? 'none' : verified;
}

function claimsOtherwise(claim: Verified, truth: Verified): AirgapError {
  const [claimed, found] = [claim, truth].map(describeVerified);
  return new AirgapError(
    'SIGNATURE_INVALID',
    `the lock says that its signature was checked with "${claimed}", it is "${found}"`,
    {
      hint: 'Run "eck-airgap lock" again; a lock is not edited by hand.',
    },
  );
}
