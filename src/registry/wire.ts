// One HTTP/1.1 exchange over pooled connections, and nothing more: no credentials, redirects or retries, which are
// transport.ts. HTTP/2 is not offered: one connection for each blob measured better, and one that stalls holds up no other.
import type { Readable } from 'node:stream';
import type { Report } from '../core/events.ts';
import type { ByteStream } from '../core/streams.ts';
import { recordableUrl } from '../core/url-text.ts';
import { discard, type Answer, type Method } from './answer.ts';
import { connectionError } from './connection-error.ts';
import { Routes, type RouteOptions } from './routes.ts';
import { refusedBy } from './tunnel.ts';

/** Milliseconds. */
export interface Timeouts {
  /** For a connection to be made; 15 seconds by default. */
  readonly connect?: number | undefined;
  /** For the headers of an answer, and for each piece of a body to be taken; 60 seconds by default. */
  readonly headers?: number | undefined;
  /** Between two pieces of an answer's body; 60 seconds by default. */
  readonly body?: number | undefined;
}

export interface WireOptions extends RouteOptions {
  readonly userAgent?: string | undefined;
  readonly timeouts?: Timeouts | undefined;
  /** Is told of every request. */
  readonly report?: Report | undefined;
}

let lastRequest = 0;

export interface RequestBody {
  /** Bytes, exactly as many as `open` gives. */
  readonly length: number;
  /** Called once for each time the request is sent. Errors of the stream come out of the request as they are. */
  open(): ByteStream;
}

export interface WireRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: RequestBody | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The answer may take this many times longer; for a registry that commits a large blob before it answers. */
  readonly patience?: number | undefined;
}

const DOWNLOAD_BUFFER = 256 * 1024;

export class Wire {
  readonly #routes: Routes;
  readonly #userAgent: string;
  readonly #headersTimeout: number;
  readonly report: Report | undefined;
  /** Requests sent so far. */
  requests = 0;

  constructor(options: WireOptions) {
    const { connect = 15_000, headers = 60_000, body = 60_000 } = options.timeouts ?? {};
    this.#headersTimeout = headers;
    this.report = options.report;
    this.#userAgent = options.userAgent ?? 'eck-airgap';
    this.#routes = new Routes(options, { connect, headers, body });
  }

  /** @throws the signal's reason, an error of the body's stream, or what `connectionError` makes */
  async exchange(request: WireRequest): Promise<Answer> {
    request.signal?.throwIfAborted();
    this.requests++;
    const { report } = this;
    if (report === undefined) return this.#exchange(request);
    const id = ++lastRequest;
    report({ type: 'request', id, method: request.method, url: recordableUrl(request.url.href) });
    try {
      const answer = await this.#exchange(request);
      report({ type: 'response', id, status: answer.status });
      return answer;
    } catch (error) {
      report({ type: 'request-failed', id, message: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  async #exchange(request: WireRequest): Promise<Answer> {
    const { method, url, signal } = request;
    const source = request.body === undefined || request.body.length === 0 ? undefined : new WatchedBody(request.body);
    try {
      const route = await this.#routes.to(url);
      const address = route.address(url);
      const { statusCode, headers, body } = await route.dispatcher.request({
        ...address,
        method,
        headers: {
          'user-agent': this.#userAgent,
          'accept-encoding': 'identity',
          ...request.headers,
          ...address.headers,
          ...(source === undefined ? {} : { 'content-length': String(source.length) }),
        },
        body: (source ?? null) as unknown as Readable | null, // any async iterable will do; the types do not say so
        signal: signal ?? null,
        reset: false, // undici would close after every HEAD
        highWaterMark: DOWNLOAD_BUFFER,
        headersTimeout: this.#headersTimeout * (request.patience ?? 1),
      });
      if (route.proxy === undefined || statusCode !== 407) {
        return { method, url, status: statusCode, headers, body, signal };
      }
      discard({ body });
      throw refusedBy(route.proxy, statusCode, url.host);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (source?.failure !== undefined) throw source.failure.error;
      throw connectionError(error, url);
    }
  }

  /** Cuts what is under way and closes all connections. */
  async close(): Promise<void> {
    await this.#routes.close();
  }
}

/** Keeps the error of the source apart from those of the connection that it is written to. */
class WatchedBody implements AsyncIterable<Uint8Array> {
  readonly #body: RequestBody;
  readonly length: number;
  failure: { readonly error: unknown } | undefined;

  constructor(body: RequestBody) {
    this.#body = body;
    this.length = body.length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const source = this.#body.open()[Symbol.asyncIterator]();
    let finished = false;
    try {
      for (;;) {
        const next = await source.next().catch((error: unknown) => {
          this.failure = { error };
          throw error;
        });
        finished = next.done === true;
        if (finished) return;
        yield next.value;
      }
    } finally {
      if (!finished && this.failure === undefined) await source.return?.();
    }
  }
}
