// A registry over HTTP whose every step can be made to misbehave by a rule, and that records all that it was asked. What
// it does when no rule applies is memory-registry.ts; ready-made faults are faults.ts.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { systemErrorCode } from '../../src/core/errors.ts';
import { MemoryRegistry, type Call, type MemoryRegistryOptions, type Reply } from './memory-registry.ts';
import { RegistryAuth, TOKEN_PATH, type AuthRules } from './registry-auth.ts';

const GONE = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']);

export interface FaultyReply extends Reply {
  /** Reset the connection when this many bytes of the body are sent. */
  readonly resetAfter?: number;
  /** Send the body as it is, whatever Content-Length says, and close. */
  readonly raw?: boolean;
}

/** One request as it came, and what came of it. */
export interface Recorded {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Bytes of the body that were read; an answer that comes before leaves the rest unread. */
  received: number;
  /** Status that was answered; undefined when the connection was cut instead. */
  status: number | undefined;
  /** Bytes of the body that were sent. */
  sent: number;
}

export interface FaultyCall extends Call {
  readonly registry: FaultyRegistry;
  readonly record: Recorded;
  /** Reads at least this much of the body, or all that there is; what is more than that is left to `read`. */
  readonly readSome: (bytes: number) => Promise<Buffer>;
}

/** Answers in place of the registry; `proceed` is what the registry would do. 'reset' cuts the connection. */
export type Fault = (
  call: FaultyCall,
  proceed: () => Promise<Reply>,
) => Promise<FaultyReply | 'reset'> | FaultyReply | 'reset';

export interface When {
  /** HTTP method; any by default. */
  readonly method?: string;
  /** What path and query must match; any by default. */
  readonly path?: RegExp;
  /** The first matching request it applies to, from 1 (default). */
  readonly at?: number;
  /** How many it applies to; 1 by default. */
  readonly times?: number;
}

export interface FaultyRegistryOptions extends MemoryRegistryOptions {
  readonly auth?: AuthRules;
  /** Address to listen on; 127.0.0.1 by default. */
  readonly address?: string;
  /** Speak TLS; plain HTTP by default. */
  readonly tls?: ServerOptions;
}

export class FaultyRegistry {
  readonly memory: MemoryRegistry;
  readonly auth: RegistryAuth | undefined;
  readonly requests: Recorded[] = [];
  /** Defects of the server itself; a test that meets one must fail. */
  readonly defects: unknown[] = [];
  readonly #rules: { when: When; fault: Fault; seen: number }[] = [];
  readonly #server: Server;
  readonly #address: string;
  readonly #scheme: string;

  constructor(options: FaultyRegistryOptions) {
    this.memory = new MemoryRegistry(options);
    this.auth = options.auth && new RegistryAuth(options.auth, (name) => this.memory.repositories.has(name));
    this.#address = options.address ?? '127.0.0.1';
    this.#scheme = options.tls ? 'https' : 'http';
    const server = options.tls ? createTlsServer(options.tls) : createServer();
    this.#server = server.on('request', (request, response) => void this.#serve(request, response));
    server.on('secureConnection', (socket: TLSSocket) => this.shown.push(socket.getPeerX509Certificate()?.subject));
    server.on('tlsClientError', () => undefined); // a client that we are not good enough for, or that is not for us
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get host(): string {
    return `${this.#address}:${this.port}`;
  }

  get origin(): string {
    return `${this.#scheme}://${this.host}`;
  }

  /** Rules are asked in the order in which they were made; the first that applies is used. */
  misbehave(when: When, fault: Fault): this {
    this.#rules.push({ when, fault, seen: 0 });
    return this;
  }

  /** The recorded requests with this method whose path matches. */
  asked(method: string, path = /./): Recorded[] {
    return this.requests.filter((request) => request.method === method && path.test(request.path));
  }

  /** Bytes of bodies received by a method. */
  received(method: string, path?: RegExp): number {
    return this.asked(method, path).reduce((sum, request) => sum + request.received, 0);
  }

  /** What each TLS connection showed for a certificate of its own; undefined for none. */
  readonly shown: (string | undefined)[] = [];

  async listen(): Promise<this> {
    this.#server.listen(0, this.#address);
    await once(this.#server, 'listening');
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.defects.length > 0) throw new AggregateError(this.defects, 'the server of the test is wrong');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      const call = this.#call(request);
      this.requests.push(call.record);
      const active = this.#ruleFor(call.record);
      const reply = active ? await active(call, () => this.#proceed(call)) : await this.#proceed(call);
      if (reply === 'reset') request.socket.resetAndDestroy();
      else await send(reply, call.record, response);
    } catch (error) {
      // a client that goes away in the middle is part of the game
      if (!GONE.has(systemErrorCode(error) ?? '')) this.defects.push(error);
      request.socket.destroy();
    }
  }

  #ruleFor(record: Recorded): Fault | undefined {
    const matching = this.#rules.filter(({ when }) => matches(when, record));
    for (const rule of matching) rule.seen++;
    return matching.find(({ when: { at = 1, times = 1 }, seen }) => seen >= at && seen < at + times)?.fault;
  }

  async #proceed(call: FaultyCall): Promise<Reply> {
    if (this.auth && call.url.pathname === TOKEN_PATH) return this.auth.token(call);
    return this.auth?.refuse(call, this.origin) ?? this.memory.handle(call);
  }

  #call(request: IncomingMessage): FaultyCall {
    const { method = '', url = '', headers } = request;
    const record: Recorded = { method, path: url, headers, received: 0, status: undefined, sent: 0 };
    const body = request[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const readSome = async (bytes: number): Promise<Buffer> => {
      const chunks: Buffer[] = [];
      for (let size = 0; size < bytes;) {
        const next = await body.next();
        if (next.done === true) break;
        chunks.push(next.value);
        size += next.value.length;
        record.received += next.value.length;
      }
      return Buffer.concat(chunks);
    };
    return {
      method,
      url: new URL(url, this.origin),
      headers,
      read: () => readSome(Infinity),
      readSome,
      record,
      registry: this,
    };
  }
}

/** A running registry. */
export async function startFaultyRegistry(options: FaultyRegistryOptions = {}): Promise<FaultyRegistry> {
  return new FaultyRegistry(options).listen();
}

function matches(when: When, { method, path }: Recorded): boolean {
  return (when.method === undefined || when.method === method) && (when.path === undefined || when.path.test(path));
}

async function send(reply: FaultyReply, record: Recorded, response: ServerResponse): Promise<void> {
  const { body = new Uint8Array(), resetAfter, raw } = reply;
  record.status = reply.status;
  response.writeHead(reply.status, headersOf(reply));
  response.flushHeaders();
  if (record.method !== 'HEAD' && reply.status !== 204) {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      const part = resetAfter === undefined ? chunk : chunk.subarray(0, resetAfter - record.sent);
      if (!(await flushed(response, part))) return;
      record.sent += part.byteLength;
      if (record.sent === resetAfter) return void response.socket?.resetAndDestroy();
    }
  }
  if (raw) response.socket?.end();
  else response.end();
}

function headersOf({ status, headers = {}, body = new Uint8Array() }: FaultyReply): Record<string, string | string[]> {
  const length = body instanceof Uint8Array && status !== 204 ? { 'content-length': String(body.byteLength) } : {};
  const all = Object.entries({ ...length, ...headers });
  return Object.fromEntries(all.map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]));
}

/** Whether the bytes went out; false when the other side is gone. */
function flushed(response: ServerResponse, part: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve(false);
    else response.write(part, (error) => resolve(error == null));
  });
}
