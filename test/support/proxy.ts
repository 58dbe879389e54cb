// An HTTP proxy on loopback, for tests: CONNECT and absolute-form requests, to wherever its table of hosts says, since the
// names that tests use do not exist. It keeps what it was asked, with headers.
import { once } from 'node:events';
import { createServer, request as sendRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ProxyRequest {
  readonly method: string;
  /** `host:port` for CONNECT, else the whole URL. */
  readonly target: string;
  readonly authorization: string | undefined;
  /** Headers that only the other end should get, seen by the proxy because nothing encrypts them. */
  readonly headers: IncomingMessage['headers'];
}

export interface TestProxyOptions {
  /** `host:port` as it is asked for, to a port on loopback; any other is 502. */
  readonly hosts: Readonly<Record<string, number>>;
  /** Proxy-Authorization that it wants; none by default. */
  readonly authorization?: string;
  /** Answered to every request in place of doing it. */
  readonly answer?: number;
}

export interface TestProxy {
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly requests: readonly ProxyRequest[];
  close(): Promise<void>;
}

export async function startProxy(options: TestProxyOptions): Promise<TestProxy> {
  const requests: ProxyRequest[] = [];
  const sockets = new Set<Duplex>();
  /** The port to go on to, or the status of a refusal. */
  const judge = (message: IncomingMessage, host: string): { port: number } | { status: number } => {
    const { method = '', url = '', headers } = message;
    const authorization = headers['proxy-authorization'];
    requests.push({ method, target: url, authorization, headers });
    if (options.answer !== undefined) return { status: options.answer };
    if (options.authorization !== undefined && options.authorization !== authorization) return { status: 407 };
    const port = options.hosts[host];
    return port === undefined ? { status: 502 } : { port };
  };
  const forward = (message: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(message.url ?? '');
    const verdict = judge(message, `${url.hostname}:${url.port || '80'}`);
    if ('status' in verdict) return void response.writeHead(verdict.status).end();
    const headers = { ...message.headers };
    delete headers['proxy-authorization'];
    const onward = {
      port: verdict.port,
      host: '127.0.0.1',
      method: message.method,
      path: `${url.pathname}${url.search}`,
    };
    const upstream = sendRequest({ ...onward, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    message.pipe(upstream);
  };
  const tunnel = (message: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const verdict = judge(message, message.url ?? '');
    if ('status' in verdict) return void socket.end(`HTTP/1.1 ${verdict.status} no\r\ncontent-length: 0\r\n\r\n`);
    const upstream: Socket = connect(verdict.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) {
      sockets.add(end.on('error', () => [socket, upstream].forEach((other) => other.destroy())));
    }
  };
  const server = createServer(forward).on('connect', tunnel).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
