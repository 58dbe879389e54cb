// A connection through a proxy: CONNECT to the host that is wanted (RFC 9110 §9.3.6), then TLS with that host inside, so that
// the proxy sees its name and nothing else. What fails at the proxy is said of the proxy.
import { Socket } from 'node:net';
import type { buildConnector, Dispatcher } from 'undici';
import { AirgapError, systemErrorCode } from '../core/errors.ts';
import type { Proxy } from './proxy.ts';

type Connector = buildConnector.connector;

export interface TunnelOptions {
  readonly proxy: Proxy;
  /** Connections to the proxy. */
  readonly dispatcher: Dispatcher;
  /** Speaks TLS with the host at the other end. */
  readonly secure: Connector;
}

/** Connects to https: origins through the proxy. */
export function tunnelConnector({ proxy, dispatcher, secure }: TunnelOptions): Connector {
  const connect = async (options: buildConnector.Options, callback: buildConnector.Callback): Promise<void> => {
    const host = `${options.hostname.includes(':') ? `[${options.hostname}]` : options.hostname}:${options.port || '443'}`;
    const headers = { host, ...proxyHeaders(proxy) };
    const { statusCode, socket } = await dispatcher
      .connect({ origin: proxy.origin, path: host, headers })
      .catch((cause: unknown) => {
        throw proxyError(cause, proxy, host);
      });
    if (statusCode === 200 && socket instanceof Socket) {
      secure({ ...options, httpSocket: socket }, callback);
      return;
    }
    socket.on('error', () => undefined).destroy();
    throw refusedBy(proxy, statusCode, host);
  };
  return (options, callback) => {
    connect(options, callback).catch((error: unknown) => callback(error as Error, null));
  };
}

/** Connects to the proxy itself, on the way to `host`; what fails there is said of the proxy. */
export function proxyConnector(proxy: Proxy, connector: Connector, host: string): Connector {
  return (options, callback) =>
    connector(options, (...[error, socket]) =>
      error === null ? callback(null, socket) : callback(proxyError(error, proxy, host), null),
    );
}

export function proxyHeaders({ authorization }: Proxy): Record<string, string> {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization };
}

/** What it means that the proxy, asked for `host`, answered this itself. */
export function refusedBy(proxy: Proxy, status: number, host: string): AirgapError {
  const options = { details: { proxy: proxy.origin.origin, status } };
  if (status === 407) {
    const why =
      proxy.authorization === undefined ? 'wants a user name and password' : 'refuses its user name or password';
    return new AirgapError('PROXY_FAILED', `${host}: the proxy ${named(proxy)} ${why} (407)`, {
      ...options,
      hint: `Write ${proxy.variable}=http://USER:PASSWORD@HOST:PORT, or ${bypass}.`,
    });
  }
  if (status >= 500) {
    return new AirgapError('REGISTRY_UNREACHABLE', `${host}: the proxy ${named(proxy)} does not reach it (${status})`, {
      ...options,
      hint: `Check the name of the host, and that the proxy may go there; or ${bypass}.`,
    });
  }
  return new AirgapError('PROXY_FAILED', `${host}: the proxy ${named(proxy)} does not let us through (${status})`, {
    ...options,
    hint: `Ask for the host to be allowed there, or ${bypass}.`,
  });
}

const bypass = 'name the host in NO_PROXY to go there directly';

function named({ origin, variable }: Proxy): string {
  return `${origin.host} (${variable})`;
}

function proxyError(cause: unknown, proxy: Proxy, host: string): AirgapError {
  if (cause instanceof AirgapError) return cause;
  const reason = systemErrorCode(cause) ?? 'no reason given';
  return new AirgapError('PROXY_FAILED', `${host}: the proxy ${named(proxy)} cannot be reached (${reason})`, {
    cause,
    hint: `Check ${proxy.variable}, or ${bypass}.`,
    details: { proxy: proxy.origin.origin, reason },
  });
}
