// Bodies of requests and of answers. A request's body can be refused half read and the answer still arrive; an answer has
// the length that was promised, or its connection breaks.
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { ByteStream } from '../../core/streams.ts';
import type { Exchange } from './exchange.ts';
import { RegistryFailure } from './reply.ts';

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

/** Sends a body whose Content-Length was sent. @throws what `body` throws, and Error when it has another length */
export async function sendBody({ response }: Exchange, body: ByteStream): Promise<void> {
  response.strictContentLength = true;
  await pipeline(body, response);
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
