// The registry server: the OCI distribution API (v1.1) over a store. The test double of this project, and a product. Here
// is what listens and ends; what is answered is in answer.ts.
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
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
  /** For running requests when the server closes; two seconds by default. */
  readonly closing: number;
}

export interface RunningRegistry {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Ends idle connections at once, and running requests when they are done or patience is over. */
  close(): Promise<void>;
}

const DEFAULT_PATIENCE: Patience = { header: 30_000, idle: 120_000, closing: 2_000 };
const HEADER_BYTES = 16 * 1024;

/** @throws TLS_REQUIRED, TLS_FAILED, CONFIG_INVALID, LISTEN_FAILED */
export async function serveRegistry(store: RegistryStore, options: ServeOptions): Promise<RunningRegistry> {
  requireTls(options);
  const { onRequest, report } = options;
  const authorize = options.htpasswd === undefined ? undefined : htpasswdAuthorizer(options.htpasswd);
  const answering = { store, turns: uploadTurns(), authorize, onRequest, report };
  const patience = { ...DEFAULT_PATIENCE, ...options.patience };
  const server = createServer(options, patience, (request, response) => void answer(answering, request, response));
  const { port } = await listen(server, options);
  server.on('error', (error) => report?.({ type: 'warning', message: `the server: ${error.message}` }));
  const shown = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    host: options.host,
    port,
    url: `${options.tls ? 'https' : 'http'}://${shown}:${port}`,
    close: () => close(server, patience),
  };
}

function createServer({ tls }: ServeOptions, { header, idle }: Patience, listener: RequestListener): Server {
  const settings = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: header,
    connectionsCheckingInterval: Math.min(header, 5_000),
    requestTimeout: 0, // a large blob may take hours; an idle connection may not
    keepAliveTimeout: Math.min(idle, 60_000),
  };
  if (tls) checkTls(tls);
  const server = tls
    ? createHttpsServer({ ...settings, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2', handshakeTimeout: header })
    : createHttpServer(settings);
  server.timeout = idle;
  const listen: RequestListener = (request, response) => {
    // while the server closes, a connection is of no use when its answer is out
    response.once('close', () => server.listening || server.closeIdleConnections());
    listener(request, response);
  };
  // whether a client that asks first is told to send its body is for the one who reads the body
  return server.on('request', listen).on('checkContinue', listen);
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

async function close(server: Server, { closing }: Patience): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const grace = setTimeout(() => server.closeAllConnections(), closing);
  await closed;
  clearTimeout(grace);
}
