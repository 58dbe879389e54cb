// What a lock pins, and is not there any more as it was: told as such, with the way out. Images have moved-tag.ts.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { placeOf } from './files/wanted-files.ts';

export interface LockedPlace {
  readonly url?: string;
  readonly path?: string;
}

/** The error to throw for one that was met while reading it. @param what it is: a file, a chart */
export function notAsLocked(error: unknown, locked: LockedPlace, what: 'file' | 'chart'): unknown {
  if (!isAirgapError(error, 'DIGEST_MISMATCH', 'CONTENT_MISSING')) return error;
  const { code, details, message } = error;
  const [why, hint] =
    code === 'CONTENT_MISSING'
      ? [
          'was locked and is gone',
          'Take it from a mirror that still has it ("mirrors" in airgap.yaml), or lock another version.',
        ]
      : [
          `is not the ${what} that was locked`,
          `Restore the ${what}; or see what changed with "eck-airgap lock --check", and run "eck-airgap lock" again.`,
        ];
  return new AirgapError(code, `${placeOf(locked)} ${why}: ${message}`, { cause: error, details, hint });
}
