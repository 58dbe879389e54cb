// An HTTP answer and the bounded ways to read one. An answer whose body is not wanted has to be discarded, so that its
// connection can serve the next request.
import type { Dispatcher } from 'undici';
import { AirgapError } from '../core/errors.ts';
import { collect } from '../core/streams.ts';
import type { Clock } from './clock.ts';
import { connectionError } from './connection-error.ts';
import { paced } from './pace.ts';
import { showUrl } from './url-policy.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Answer {
  readonly method: Method;
  /** What answered, after redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
  /** What the request was made with. */
  readonly signal: AbortSignal | undefined;
}

/** An answer with its body, whole. */
export interface Page {
  readonly answer: Answer;
  readonly bytes: Buffer;
}

/** More than this is not read only to keep a connection. */
const DISCARD_LIMIT = 64 * 1024;
/** A body that only explains a failure has to come within this many milliseconds. */
const SOME_TIME = 10_000;

/** A header that may come once; the first of several. */
export function headerOf(answer: Pick<Answer, 'headers'>, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Lets go of the body: a small one is read and forgotten in the background, a large one is cut. */
export function discard(answer: Pick<Answer, 'body'>): void {
  answer.body.dump({ limit: DISCARD_LIMIT, signal: AbortSignal.timeout(SOME_TIME) }).catch(() => undefined);
}

/** The same error, after letting go of the body. */
export function dropped<E extends Error>(answer: Pick<Answer, 'body'>, error: E): E {
  discard(answer);
  return error;
}

/** Reads a whole body of at most `limit` bytes. @throws REGISTRY_PROTOCOL when there are more, REGISTRY_UNREACHABLE when it is too slow */
export async function readAll(answer: Answer, limit: number, clock: Pick<Clock, 'now'>): Promise<Buffer> {
  const tooLong = (): Error =>
    new AirgapError(
      'REGISTRY_PROTOCOL',
      `${showUrl(answer.url)} answered more than ${limit} bytes where at most that many are accepted`,
    );
  if (Number(headerOf(answer, 'content-length') ?? 0) > limit) {
    answer.body.destroy();
    throw tooLong();
  }
  try {
    return await collect(paced(answer.body, { clock, url: answer.url }), limit, tooLong);
  } catch (error) {
    throw bodyError(answer, error);
  }
}

/** What to throw when reading the body failed: the reason of an abort, or why the connection broke. */
export function bodyError(answer: Answer, error: unknown): unknown {
  return answer.signal?.aborted === true ? answer.signal.reason : connectionError(error, answer.url);
}

/** Reads at most `limit` bytes for at most ten seconds, whatever happens, and drops the connection if there is more. */
export async function readSome(answer: Answer, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const cut = AbortSignal.timeout(SOME_TIME);
  const stop = (): void => void answer.body.destroy();
  cut.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, limit - size));
      size += chunk.byteLength;
      if (size >= limit) break; // leaving the loop destroys the stream
    }
  } catch {
    // a cut body still explains what it can
  } finally {
    cut.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks);
}
