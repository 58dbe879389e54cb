// When to try again: exponential back-off with jitter, or what Retry-After says, within reason. One Attempts belongs to one piece of work;
// whoever knows that trying again is safe holds it.
import { isAirgapError } from '../core/errors.ts';
import type { Clock } from './clock.ts';
import { isNeverConnected } from './connection-error.ts';
import { HttpError } from './http-error.ts';
import { LEAST_BYTES, TooSlow } from './pace.ts';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** Longer than this nobody waits for one request; milliseconds. */
export const LONGEST_RETRY_AFTER = 5 * 60_000;

export interface AttemptsOptions {
  /** Attempts after the first. */
  readonly retries: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Whether the server was reached before; one that never was is more likely a wrong address than a passing trouble. */
  readonly reached: () => boolean;
  /** Told of each wait that ends in another attempt. */
  readonly onRetry?: (() => void) | undefined;
  /** Told of each wait when it begins. */
  readonly onWait?: ((milliseconds: number, error: unknown) => void) | undefined;
}

export class Attempts {
  readonly #options: AttemptsOptions;
  #failures = 0;
  /** Bytes since the last failure. */
  #achieved = 0;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Waits until the next attempt is due. @throws `error` when another would not help, or none is left */
  async wait(error: unknown, again?: boolean): Promise<void> {
    const { retries, clock, signal, reached, onRetry, onWait } = this.#options;
    const transient = again ?? isTransient(error, reached());
    signal?.throwIfAborted();
    // a server that is too slow each time would otherwise be asked for ever
    if (this.#achieved >= (error instanceof TooSlow ? LEAST_BYTES : 1)) this.#failures = 0;
    this.#achieved = 0;
    const retryAfter = (error instanceof HttpError && error.retryAfter) || 0;
    if (!transient || this.#failures >= retries || retryAfter > LONGEST_RETRY_AFTER) throw error;
    const backoff = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures) * (0.5 + clock.random() / 2);
    this.#failures++;
    const wait = Math.max(backoff, retryAfter);
    onWait?.(wait, error);
    await clock.sleep(wait, signal);
    signal?.throwIfAborted();
    onRetry?.();
  }

  /** Something was achieved since the last failure, `bytes` of it where that says how much: the attempts are counted anew. */
  progressed(bytes = LEAST_BYTES): void {
    this.#achieved += bytes;
  }
}

/** Whether the same request may succeed a little later. */
export function isTransient(error: unknown, reached = true): boolean {
  if (error instanceof HttpError) {
    const { status } = error;
    return status === 429 || status === 408 || (status >= 500 && status !== 501 && status !== 505);
  }
  if (!isAirgapError(error, 'REGISTRY_UNREACHABLE', 'PROXY_FAILED')) return false;
  if (error.code === 'PROXY_FAILED' && error.cause === undefined) return false; // it answered, and will answer so again
  return reached || !isNeverConnected(error.cause);
}
