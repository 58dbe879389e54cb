// A numbered step of a journey: a test that names the tools it meets, and is skipped, with the reason, where one is missing.
import { inject, test } from 'vitest';
import type { Tool } from '../../../scripts/interop/tools.ts';
import { ESSENTIAL, type Stage } from './setup.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** Why the test was skipped; read by .ci/run. */
    skipReason?: string;
  }
}

export interface JourneyOptions {
  /** Tools beside those that every journey needs. */
  readonly needs?: readonly Tool[];
  /** Milliseconds. */
  readonly timeout?: number;
}

export function journey(title: string, options: JourneyOptions, body: (stage: Stage) => Promise<void>): void {
  test(title, options.timeout === undefined ? {} : { timeout: options.timeout }, async (context) => {
    const missing = inject('missing');
    const reasons = [...ESSENTIAL, ...(options.needs ?? [])].flatMap((tool) => missing[tool] ?? []);
    const stage = inject('stage');
    if (stage !== undefined && reasons.length === 0) return body(stage);
    const reason = reasons.join('; ');
    context.task.meta.skipReason = reason;
    return context.skip(reason);
  });
}

/** Made when first asked for, once in a file. */
export function once<T>(make: (stage: Stage) => Promise<T>): (stage: Stage) => Promise<T> {
  let made: Promise<T> | undefined;
  return (stage) => (made ??= make(stage));
}
