// Docker-Content-Digest: what a registry says it stored or serves. It is never a proof; where it contradicts us, that is an
// error (CVE-2025-24882).
import { isDigest, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { headerOf, type Answer } from './answer.ts';
import { showUrl } from './url-policy.ts';

/** The digest the answer names; undefined when it names none that we know. */
export function namedDigest(answer: Answer): Digest | undefined {
  const header = headerOf(answer, 'docker-content-digest')?.trim();
  return isDigest(header) ? header : undefined;
}

/** @throws DIGEST_MISMATCH when the answer names another digest than `expected` */
export function digestAnswered(answer: Answer, expected: Digest): void {
  const found = namedDigest(answer);
  if (found === undefined || found === expected) return;
  throw new AirgapError(
    'DIGEST_MISMATCH',
    `${showUrl(answer.url)}: the registry says it has ${found} where ${expected} is meant`,
    {
      details: { expected, found },
    },
  );
}
