// Reading content of a known size, resumed inside: when a connection breaks, the next one asks for the rest. What comes is
// counted here; whether it is the right content is checked by whoever commits it.
import { AirgapError } from '../core/errors.ts';
import { skip, type ByteStream } from '../core/streams.ts';
import { bodyError, dropped, headerOf, type Answer } from './answer.ts';
import { parseContentRange } from './range.ts';
import { paced } from './pace.ts';
import type { Call, Transport } from './transport.ts';
import { showUrl } from './url-policy.ts';

export interface SizedDownload {
  readonly transport: Transport;
  /** The GET for the whole of it; a Range is added. */
  readonly call: Pick<Call, 'target' | 'scopes' | 'headers' | 'anonymous'>;
  /** Bytes of the whole. */
  readonly size: number;
  /** What to throw when the server at `where` has another number of bytes. */
  readonly wrongSize: (found: number, where: string) => AirgapError;
  /** What the call, without a Range, was answered already. */
  readonly first?: Answer | undefined;
  /** What to throw for an answer that, by its headers, is not of the content that was begun with. */
  readonly refuse?: ((answer: Answer) => AirgapError | undefined) | undefined;
}

export interface DownloadOptions {
  /** First byte wanted; 0 by default. */
  readonly start?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The attempt failed in a way that another one may not; `cause` is what to say if none does. */
class Interrupted extends Error {
  override readonly cause: AirgapError;
  /** Whether the server cannot be trusted with a Range. */
  readonly rangeRefused: boolean;

  constructor(cause: AirgapError, rangeRefused = false) {
    super(cause.message);
    this.cause = cause;
    this.rangeRefused = rangeRefused;
  }
}

/** The bytes from `options.start` on, never more than there should be. @throws what `wrongSize` makes, the transport's errors */
export async function* downloadSized(what: SizedDownload, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const { size, transport, wrongSize } = what;
  const attempts = transport.attempts(options.signal);
  let { first } = what;
  let position = options.start ?? 0;
  let ranges = true;
  if (position > 0 && position >= size) return;
  for (;;) {
    let answer: Answer | undefined;
    try {
      answer = first ?? (await request(what, ranges ? position : 0, options.signal));
      first = undefined;
      for await (const chunk of bytesFrom(answer, position, what)) {
        const reached = position + chunk.byteLength;
        if (reached > size) throw wrongSize(reached, showUrl(answer.url));
        position = reached;
        attempts.progressed(chunk.byteLength);
        yield chunk;
      }
      if (position === size) return;
      throw new Interrupted(wrongSize(position, showUrl(answer.url)));
    } catch (error) {
      if (error instanceof Interrupted) {
        if (error.rangeRefused) ranges = false;
        await attempts.wait(error.cause, true);
      } else await attempts.wait(answer === undefined ? error : bodyError(answer, error));
    }
  }
}

function request({ transport, call }: SizedDownload, start: number, signal: AbortSignal | undefined): Promise<Answer> {
  const range = start > 0 ? { range: `bytes=${start}-` } : {};
  const headers = { ...call.headers, ...range };
  return transport.once({ ...call, method: 'GET', headers, signal, elsewhere: true }, [200, 206, 416]);
}

/** The body from byte `position` of the content on, whatever part of it the server chose to answer. */
function bytesFrom(answer: Answer, position: number, what: SizedDownload): ByteStream {
  const { size, wrongSize } = what;
  const body = paced(answer.body, { clock: what.transport.clock, url: answer.url });
  const refusal = answer.status === 416 ? undefined : what.refuse?.(answer);
  if (refusal) throw dropped(answer, refusal);
  if (answer.status === 200) {
    const length = Number(headerOf(answer, 'content-length') ?? 0);
    if (length > size) throw dropped(answer, wrongSize(length, showUrl(answer.url)));
    return position === 0 ? body : skip(body, position);
  }
  const header = headerOf(answer, 'content-range');
  const range = answer.status === 206 ? parseContentRange(header) : undefined;
  const fits = range?.start === position && range.end < size && (range.total ?? size) === size;
  if (fits) return body;
  const found = answer.status === 416 ? 'status 416' : `Content-Range ${JSON.stringify(header?.slice(0, 80) ?? '')}`;
  const message = `${showUrl(answer.url)} answered ${found} when asked for bytes from ${position} of ${size}`;
  throw dropped(answer, new Interrupted(new AirgapError('REGISTRY_PROTOCOL', message), true));
}
