// Why a locked digest is not there: upstream may stop serving it once its tag names another, or is gone. A tag that moved
// is no failure as long as the old digest is served, so it is asked for only then.
import type { Activity } from '../core/events.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import type { LockedImage } from '../bundle/lock.ts';
import { parseReference, referencePart } from '../oci/reference.ts';
import type { Sources } from './sources.ts';

export interface MovedTagContext extends Activity {
  readonly sources: Pick<Sources, 'repository'>;
}

const HINT = '"eck-airgap lock --check" shows what changed upstream. Lock again, and review the difference.';

/**
 * Runs a task that reads what `image` pins; content that is missing is explained by what its tag names now.
 * @throws UPSTREAM_CHANGED where the tag names another digest, CONTENT_MISSING where it is gone too, and what the task throws
 */
export async function explainingMissing<T>(
  image: LockedImage,
  context: MovedTagContext,
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!isAirgapError(error, 'CONTENT_MISSING')) throw error;
    throw (await tagChanged(image, error, context)) ?? error;
  }
}

/** What became of the tag; undefined where it names what it named, or does not answer. */
async function tagChanged(
  image: LockedImage,
  cause: AirgapError,
  context: MovedTagContext,
): Promise<AirgapError | undefined> {
  const { name, from } = image;
  const { digest: locked } = image.original ?? image;
  const where = `${name}${from === undefined ? '' : ` from ${from}`}`;
  const found = await nowNamed(from ?? name, context);
  if (found === undefined || found === locked) return undefined;
  const details = { image: name, ...(from === undefined ? {} : { from }), locked, ...cause.details };
  if (found === 'gone') {
    const message = `${where}: neither the tag nor all of ${locked}, which the lock pins, is there any more`;
    return new AirgapError('CONTENT_MISSING', message, { cause, hint: HINT, details });
  }
  const message = `${where} names ${found} now, and not all of ${locked}, which the lock pins, is there any more`;
  return new AirgapError('UPSTREAM_CHANGED', message, { cause, hint: HINT, details: { ...details, found } });
}

async function nowNamed(name: string, { sources, signal }: MovedTagContext): Promise<Digest | 'gone' | undefined> {
  const reference = parseReference(name);
  try {
    return (await sources.repository(reference).resolve(referencePart(reference), { signal })).digest;
  } catch (error) {
    return isAirgapError(error, 'CONTENT_MISSING') ? 'gone' : undefined;
  }
}
