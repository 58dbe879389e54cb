// Errors met while working on a file say which file, and what it is needed for.
import { AirgapError, isAirgapError } from '../../core/errors.ts';

export interface NamedFile {
  readonly name: string;
  readonly neededBy?: string;
}

export async function namingFile<T>({ name, neededBy }: NamedFile, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!isAirgapError(error)) throw error;
    const forWhom = neededBy === undefined ? '' : ` (needed by ${neededBy})`;
    throw new AirgapError(error.code, `${name}${forWhom}: ${error.message}`, {
      cause: error,
      details: { file: name, ...error.details },
      hint: error.hint,
    });
  }
}
