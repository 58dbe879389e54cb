// Reading content, resumed inside: when a connection breaks, the next one asks for the rest. What comes is counted against
// the descriptor here; its digest is checked by whoever commits it.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { skip, type ByteStream } from '../core/streams.ts';
import { digestMismatch, type Descriptor } from '../oci/descriptor.ts';
import { isForeignLayerType } from '../oci/media-types.ts';
import type { FetchOptions } from '../oci/target.ts';
import { bodyError, discard, headerOf, type Answer } from './answer.ts';
import { parseContentRange } from './range.ts';
import type { Call, Transport } from './transport.ts';
import { checkForeignLayerUrl, showUrl } from './url-policy.ts';

export interface Download {
  readonly transport: Transport;
  readonly descriptor: Descriptor;
  /** The GET for the whole of it; a Range is added. */
  readonly call: Pick<Call, 'target' | 'scopes' | 'headers' | 'anonymous'>;
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

/** The bytes from `options.start` on. @throws CONTENT_MISSING, DIGEST_MISMATCH (another size), and the transport's errors */
export function download(what: Download, options: FetchOptions = {}): ByteStream {
  const { mediaType, urls = [] } = what.descriptor;
  return isForeignLayerType(mediaType) && urls.length > 0
    ? downloadForeign(what, urls, options)
    : downloadFrom(what, options);
}

async function* downloadFrom(what: Download, options: FetchOptions): AsyncGenerator<Uint8Array> {
  const { descriptor, transport } = what;
  const attempts = transport.attempts(options.signal);
  let position = options.start ?? 0;
  let ranges = true;
  if (position > 0 && position >= descriptor.size) return;
  for (;;) {
    let answer: Answer | undefined;
    try {
      answer = await request(what, ranges ? position : 0, options.signal);
      for await (const chunk of bytesFrom(answer, position, descriptor)) {
        const reached = position + chunk.byteLength;
        if (reached > descriptor.size) throw digestMismatch(descriptor, { size: reached }, showUrl(answer.url));
        position = reached;
        attempts.progressed();
        yield chunk;
      }
      if (position === descriptor.size) return;
      throw new Interrupted(digestMismatch(descriptor, { size: position }, showUrl(answer.url)));
    } catch (error) {
      if (error instanceof Interrupted) {
        if (error.rangeRefused) ranges = false;
        await attempts.wait(error.cause, true);
      } else await attempts.wait(answer === undefined ? error : bodyError(answer, error));
    }
  }
}

function request({ transport, call }: Download, start: number, signal: AbortSignal | undefined): Promise<Answer> {
  const range = start > 0 ? { range: `bytes=${start}-` } : {};
  const headers = { ...call.headers, ...range };
  return transport.once({ ...call, method: 'GET', headers, signal, elsewhere: true }, [200, 206, 416]);
}

/** The body from byte `position` of the content on, whatever part of it the server chose to answer. */
function bytesFrom(answer: Answer, position: number, descriptor: Descriptor): ByteStream {
  if (answer.status === 200) {
    const length = Number(headerOf(answer, 'content-length') ?? 0);
    if (length > descriptor.size)
      throw dropped(answer, digestMismatch(descriptor, { size: length }, showUrl(answer.url)));
    return position === 0 ? answer.body : skip(answer.body, position);
  }
  const header = headerOf(answer, 'content-range');
  const range = answer.status === 206 ? parseContentRange(header) : undefined;
  const fits =
    range?.start === position && range.end < descriptor.size && (range.total ?? descriptor.size) === descriptor.size;
  if (fits) return answer.body;
  const found = answer.status === 416 ? 'status 416' : `Content-Range ${JSON.stringify(header?.slice(0, 80) ?? '')}`;
  const message = `${showUrl(answer.url)} answered ${found} when asked for bytes from ${position} of ${descriptor.size}`;
  throw dropped(answer, new Interrupted(new AirgapError('REGISTRY_PROTOCOL', message), true));
}

function dropped<E extends Error>(answer: Answer, error: E): E {
  discard(answer);
  return error;
}

/** The registry may lack a foreign layer; only then are its own addresses tried, without credentials. */
async function* downloadForeign(
  what: Download,
  urls: readonly string[],
  options: FetchOptions,
): AsyncGenerator<Uint8Array> {
  const { target, scopes } = what.call;
  const sender = await what.transport.sender(options.signal);
  const calls = [what.call, ...urls.map((url) => ({ target: url, scopes, anonymous: true }))];
  let position = options.start ?? 0;
  let failure: unknown;
  for (const call of calls) {
    try {
      const resolved =
        call.target === target ? call : { ...call, target: checkForeignLayerUrl(String(call.target), sender) };
      for await (const chunk of downloadFrom({ ...what, call: resolved }, { ...options, start: position })) {
        position += chunk.byteLength;
        yield chunk;
      }
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (call.target === target && !isAirgapError(error, 'CONTENT_MISSING')) throw error;
      failure = error;
    }
  }
  throw failure;
}
