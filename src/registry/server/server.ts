// The registry server: the OCI distribution API (v1.1) over a store. The test double of this project, and a product. Here
// is what listens and ends; what is answered is in answer.ts.
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { AirgapError, systemErrorCode } from '../../core/errors.ts';
import type { Report } from '../../core/events.ts';
import { answer, type RequestInfo } from './answer.ts';
import { htpasswdAuthorizer } from './htpasswd.ts';
import { checkTls, requireTls, type ServerTls } from './secure.ts';
import type { RegistryStore } from './store.ts';
import { uploadTurns } from './upload-turns.ts';

export interface ServeOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly tls?: ServerTls | undefined;
  /** Content of an htpasswd file (bcrypt); refused without TLS beyond loopback. */
  readonly htpasswd?: string | undefined;
  /** Allows listening beyond loopback without TLS. */
  readonly plainHttp?: boolean | undefined;
  /** Told of every request when it is over. */
  readonly onRequest?: ((info: RequestInfo) => void) | undefined;
  /** Told, as a warning, of what the store could not do; the client is only told that something failed. */
  readonly report?: Report | undefined;
  readonly patience?: Partial<Patience> | undefined;
}

/** Milliseconds. */
export interface Patience {
  /** For a request's header to be there; 30 s by default. */
  readonly header: number;
  /** For a connection that neither sends nor takes anything; two minutes by default. */
  readonly idle: number;
  /** For running requests when the server closes; one second by default. */
  readonly closing: number;
}

export interface RunningRegistry {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Ends idle connections at once, and running requests when they are done or patience is over. */
  close(): Promise<void>;
}

const DEFAULT_PATIENCE: Patience = { header: 30_000, idle: 120_000, closing: 1_000 };
const HEADER_BYTES = 16 * 1024;
/** What a connection keeps in memory in each direction. */
const CONNECTION_BYTES = 16 * 1024;
/** Connections at a time, idle ones too. */
const CONNECTIONS = 2_000;
/** Requests of one connection that wait for their turn; clients of registries send one after the other. */
const PIPELINED = 8;

/** @throws TLS_REQUIRED, TLS_FAILED, CONFIG_INVALID, LISTEN_FAILED */
export async function serveRegistry(store: RegistryStore, options: ServeOptions): Promise<RunningRegistry> {
  requireTls(options);
  const { onRequest, report } = options;
  const authorize = options.htpasswd === undefined ? undefined : htpasswdAuthorizer(options.htpasswd);
  const answering = { store, turns: uploadTurns(), authorize, onRequest, report };
  const patience = { ...DEFAULT_PATIENCE, ...options.patience };
  const listener = inTurns((request, response) => answer(answering, request, response));
  const server = createServer(options, patience, listener);
  const connections = connectionsOf(server);
  const { port } = await listen(server, options);
  server.on('error', (error) => report?.({ type: 'warning', message: `the server: ${error.message}` }));
  const shown = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    host: options.host,
    port,
    url: `${options.tls ? 'https' : 'http'}://${shown}:${port}`,
    close: () => close(server, { connections, closing: patience.closing }),
  };
}

function createServer({ tls }: ServeOptions, { header, idle }: Patience, listener: RequestListener): Server {
  const settings = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: header,
    connectionsCheckingInterval: Math.min(header, 5_000),
    requestTimeout: 0, // a large blob may take hours; an idle connection may not
    keepAliveTimeout: Math.min(idle, 60_000),
    highWaterMark: CONNECTION_BYTES,
  };
  if (tls) checkTls(tls);
  const server = tls
    ? createHttpsServer({ ...settings, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2', handshakeTimeout: header })
    : createHttpServer(settings);
  server.timeout = idle;
  server.maxConnections = CONNECTIONS;
  const listen: RequestListener = (request, response) => {
    // while the server closes, a connection is of no use when its answer is out
    response.once('close', () => server.listening || server.closeIdleConnections());
    listener(request, response);
  };
  // whether a client that asks first is told to send its body is for the one who reads the body
  return server.on('request', listen).on('checkContinue', listen);
}

/**
 * Ends a connection at once. Node goes on to parse all that was received in the same piece, a thousand requests and more, and
 * keeps each until the connection is closed; so its parser is told to drop them. It has no public way for that.
 */
function cutOff(socket: Socket & { readonly parser?: { onIncoming: () => number } | null }): void {
  socket.destroy();
  if (socket.parser) socket.parser.onIncoming = () => 0;
}

/** The requests of a connection one after another; whoever sends too many ahead is cut off before they fill memory. */
function inTurns(answering: (request: IncomingMessage, response: ServerResponse) => Promise<void>): RequestListener {
  const connections = new WeakMap<Socket, { open: number; last: Promise<void> }>();
  return (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket) ?? { open: 0, last: Promise.resolve() };
    connections.set(socket, connection);
    if (connection.open === PIPELINED) {
      cutOff(socket);
      return;
    }
    connection.open++;
    connection.last = connection.last.then(async () => {
      if (!socket.destroyed) await answering(request, response);
      connection.open--;
    });
  };
}

async function listen(server: Server, { host, port }: ServeOptions): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => reject(listenError(error, `${host}:${port}`));
    server.once('error', failed).listen(port, host, () => {
      server.off('error', failed);
      resolve();
    });
  });
  return server.address() as AddressInfo;
}

function listenError(cause: Error, address: string): AirgapError {
  const hint =
    systemErrorCode(cause) === 'EACCES'
      ? 'Ports below 1024 are for the administrator; choose another with --listen.'
      : 'Choose another address with --listen.';
  return new AirgapError('LISTEN_FAILED', `cannot listen on ${address}: ${cause.message}`, { cause, hint });
}

/** Those too that are no HTTP yet: in the middle of a TLS handshake, or silent. */
function connectionsOf(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return connections;
}

async function close(
  server: Server,
  { connections, closing }: { connections: ReadonlySet<Socket>; closing: number },
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const grace = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of connections) socket.destroy();
  }, closing);
  await closed;
  clearTimeout(grace);
}
