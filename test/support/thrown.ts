// Tests assert on codes: these answer the AirgapError that something fails with.
import { AirgapError } from '../../src/core/errors.ts';

export function thrown(action: () => unknown): AirgapError {
  try {
    action();
  } catch (error) {
    if (error instanceof AirgapError) return error;
    throw error;
  }
  throw new Error('expected an AirgapError, nothing was thrown');
}

export async function rejected(action: Promise<unknown>): Promise<AirgapError> {
  try {
    await action;
  } catch (error) {
    if (error instanceof AirgapError) return error;
    throw error;
  }
  throw new Error('expected an AirgapError, nothing was thrown');
}
