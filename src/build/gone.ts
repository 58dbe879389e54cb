// What upstream no longer has, where that is an answer and not a failure: `lock --check` says all of it at once.
import { isAirgapError, type AirgapError } from '../core/errors.ts';

export interface GoneOptions {
  /** Told of what is not there, or not for a platform; by default that is the failure. It may throw the error itself. */
  readonly onGone?: ((name: string, error: AirgapError) => void) | undefined;
}

/** The answer of the task, or none where upstream does not have `name` and that is not a failure. */
export async function unlessGone<T>(
  name: string,
  task: () => Promise<T>,
  { onGone }: GoneOptions,
): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (onGone === undefined || !isAirgapError(error, 'CONTENT_MISSING', 'PLATFORM_MISSING')) throw error;
    onGone(name, error);
    return undefined;
  }
}
