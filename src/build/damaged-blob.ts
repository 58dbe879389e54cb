// Which blob an error is about, where one is not what it should be.
import { isDigest, type Digest } from '../core/digest.ts';
import { isAirgapError } from '../core/errors.ts';

/** What an error says is not what it should be: a chunk of a body, or a whole manifest or config. */
export function damagedBlob(error: unknown): Digest | undefined {
  if (!isAirgapError(error, 'DIGEST_MISMATCH')) return undefined;
  const { digest, expected } = error.details;
  const named = digest ?? (expected as { digest?: unknown } | undefined)?.digest;
  return isDigest(named) ? named : undefined;
}
