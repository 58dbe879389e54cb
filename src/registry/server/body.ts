// Bodies of requests and of answers. A request's body can be refused half read and the answer still arrive; an answer has
// the length that was promised, or its connection breaks.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Digest } from '../../core/digest.ts';
import { untilAborted } from '../../core/pool.ts';
import { lent, type ByteStream } from '../../core/streams.ts';
import type { Exchange } from './exchange.ts';
import { RegistryFailure } from './reply.ts';
import type { RepositoryStore } from './store.ts';

const DRAIN_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 10_000;

/** The body, which a client that waits for it (`Expect: 100-continue`) is told to send. Breaking off leaves the connection open. */
export function bodyOf({ request, response }: Exchange): ByteStream {
  if (request.headers.expect !== undefined) response.writeContinue();
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

/** @throws SIZE_INVALID when a chunk is not as long as its Content-Range says; what fits into it was passed on */
export async function* chunkOf(body: ByteStream, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const bytes of body) {
    if (left > 0) yield bytes.subarray(0, left);
    left -= bytes.byteLength;
    if (left < 0) break;
  }
  if (left !== 0)
    throw new RegistryFailure('SIZE_INVALID', `the chunk does not have the ${length} bytes of its Content-Range`);
}

export interface StoredContent {
  readonly repository: RepositoryStore;
  readonly digest: Digest;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * Sends a body whose Content-Length was sent. The next piece is read when the client's socket has taken the one before, and the
 * connection is idle only while that is waited for: a client that waits for us is not timed out.
 * @throws what reading throws, Error when the content has another length, and when the client is gone
 */
export async function sendContent({ request, response }: Exchange, content: StoredContent): Promise<void> {
  const { repository, digest, start, end } = content;
  const gone = new AbortController();
  const leave = (): void => gone.abort(new Error('the client left'));
  let taking = false;
  response.on('timeout', () => taking && response.destroy());
  response.strictContentLength = true;
  const range = { start, end, signal: gone.signal };
  request.socket.once('close', leave);
  try {
    for await (const { bytes } of repository.borrow?.(digest, range) ?? lent(repository.open(digest, start, end))) {
      taking = true;
      await taken(response, bytes, gone.signal);
      taking = false;
    }
    response.end();
  } finally {
    request.socket.off('close', leave);
  }
}

/** Resolves when the socket has taken the bytes: they may change then. */
async function taken(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  response.write(bytes, (error) => (error ? reject(error) : resolve(undefined)));
  await untilAborted(promise, signal);
}

/**
 * Reads what a client still sends and throws it away, so that it comes to read its answer, which closing the connection
 * under it could lose. Up to 64 MiB in ten seconds.
 */
export async function drain(request: IncomingMessage): Promise<void> {
  const asksFirst = request.headers.expect !== undefined && !request.readableDidRead;
  if (request.complete || request.destroyed || asksFirst) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, DRAIN_MS);
    let left = DRAIN_BYTES;
    request.on('data', (bytes: Buffer) => {
      left -= bytes.byteLength;
      if (left < 0) resolve();
    });
    request
      .once('end', resolve)
      .once('close', resolve)
      .once('close', () => clearTimeout(timer));
    request.resume();
  });
}
