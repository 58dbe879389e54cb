// The registry server: the OCI distribution API (v1.1) over a store. The test double of this project, and a product.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { AirgapError } from '../../core/errors.ts';
import { htpasswdAuthorizer, type Authorize } from './htpasswd.ts';
import { RegistryFailure, sendFailure } from './reply.ts';
import { route } from './router.ts';
import type { RegistryStore } from './store.ts';

export interface RequestInfo {
  readonly method: string;
  /** Path and query as asked for. */
  readonly path: string;
  readonly status: number;
}

export interface ServeOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Content of an htpasswd file (bcrypt); refused without TLS beyond loopback. */
  readonly htpasswd?: string | undefined;
  /** Allows listening beyond loopback without TLS. */
  readonly plainHttp?: boolean | undefined;
  /** Told of every answered request. */
  readonly onRequest?: ((info: RequestInfo) => void) | undefined;
}

export interface RunningRegistry {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Ends idle connections at once, and running ones after `CLOSE_GRACE_MS`. */
  close(): Promise<void>;
}

/** A connection that sends or takes nothing for so long is ended. */
const IDLE_MS = 120_000;
const HEADERS_MS = 30_000;
const CLOSE_GRACE_MS = 2_000;

/** @throws TLS_REQUIRED, TLS_FAILED, CONFIG_INVALID, LISTEN_FAILED */
export async function serveRegistry(store: RegistryStore, options: ServeOptions): Promise<RunningRegistry> {
  requireTls(options);
  const authorize = options.htpasswd === undefined ? undefined : htpasswdAuthorizer(options.htpasswd);
  const server = createServer(
    options,
    (request, response) => void answer({ store, authorize, options }, request, response),
  );
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = 0; // a large blob may take hours; an idle connection may not
  server.timeout = IDLE_MS;
  const { port } = await listen(server, options);
  const shown = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    host: options.host,
    port,
    url: `${options.tls ? 'https' : 'http'}://${shown}:${port}`,
    close: () => close(server),
  };
}

function requireTls({ host, tls, htpasswd, plainHttp }: ServeOptions): void {
  if (tls || isLoopback(host)) return;
  if (htpasswd !== undefined) {
    throw new AirgapError(
      'TLS_REQUIRED',
      `passwords would cross the network in the clear: ${host} is not loopback and there is no TLS`,
      { hint: 'Pass --tls-cert and --tls-key.' },
    );
  }
  if (plainHttp !== true) {
    throw new AirgapError('TLS_REQUIRED', `listening on ${host} without TLS is not allowed by default`, {
      hint: 'Pass --tls-cert and --tls-key, or ask for it with --plain-http.',
    });
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function createServer({ tls }: ServeOptions, listener: Listener): Server {
  if (!tls) return createHttpServer(listener);
  try {
    return createHttpsServer({ cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, listener);
  } catch (error) {
    throw new AirgapError('TLS_FAILED', `the TLS certificate and key cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

interface Serving {
  readonly store: RegistryStore;
  readonly authorize: Authorize | undefined;
  readonly options: ServeOptions;
}

async function answer(
  { store, authorize, options }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('docker-distribution-api-version', 'registry/2.0');
  try {
    if (authorize && !(await authorize(request.headers.authorization))) {
      throw new RegistryFailure('UNAUTHORIZED', 'an account is needed', {
        headers: { 'www-authenticate': 'Basic realm="eck-airgap"' },
      });
    }
    await route(store, request, response);
  } catch (error) {
    refuse(request, response, error);
  }
  options.onRequest?.({ method: request.method ?? '', path: request.url ?? '', status: response.statusCode });
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // a body that has begun cannot become an error any more, and must not look whole
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  // what is still coming in is not worth reading
  if (!request.complete) response.setHeader('connection', 'close');
  sendFailure(
    response,
    error instanceof RegistryFailure ? error : new RegistryFailure('UNKNOWN', 'the registry could not do this'),
  );
}

async function listen(server: Server, { host, port }: ServeOptions): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new AirgapError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${error.message}`, {
          cause: error,
          hint: 'Choose another address with --listen.',
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  return server.address() as AddressInfo;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const grace = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await closed;
  clearTimeout(grace);
}
