// How each host is reached: directly or through a proxy, with the certificates that are for that host and no other. One
// pool of connections for each origin, made when it is first wanted.
import { buildConnector, errors, Pool, type Dispatcher } from 'undici';
import type { CertificateSource } from './certs-dir.ts';
import { proxyFor, type Proxy, type ProxySettings } from './proxy.ts';
import { hostTlsSettings, tlsSettings, type TlsOptions, type TlsSettings } from './tls.ts';
import { proxyConnector, proxyHeaders, tunnelConnector } from './tunnel.ts';

/** What holds for every host, and what depends on which one it is. */
export interface RouteOptions extends TlsOptions {
  /** Certificates for one host alone; none by default. */
  readonly certificates?: CertificateSource | undefined;
  /** No proxy by default. */
  readonly proxies?: ProxySettings | undefined;
}

/** Milliseconds. */
export interface RouteTimeouts {
  readonly connect: number;
  readonly headers: number;
  readonly body: number;
}

export interface Route {
  readonly dispatcher: Dispatcher;
  /** Set where requests are handed to a proxy as they are (http: URLs), so that an answer can be the proxy's own. */
  readonly proxy?: Proxy;
  /** Where to send a request for a URL of the route's origin, in the form that the other side understands. */
  address(url: URL): { readonly origin: string; readonly path: string; readonly headers: Record<string, string> };
}

export class Routes {
  readonly #options: RouteOptions;
  readonly #timeouts: RouteTimeouts;
  /** For hosts without certificates of their own. */
  readonly #tls: TlsSettings;
  readonly #routes = new Map<string, Promise<Route>>();
  readonly #opened: Dispatcher[] = [];
  #closed = false;

  /** @throws TLS_FAILED (ca) */
  constructor(options: RouteOptions, timeouts: RouteTimeouts) {
    this.#options = options;
    this.#timeouts = timeouts;
    this.#tls = tlsSettings(options);
  }

  /** @throws TLS_FAILED and IO_FAILED for certificates of the host that cannot be used */
  to(url: URL): Promise<Route> {
    const known = this.#routes.get(url.origin);
    if (known) return known;
    const opening = this.#open(url);
    this.#routes.set(url.origin, opening);
    return opening;
  }

  /** Cuts what is under way and closes all connections. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#routes.values());
    await Promise.all(this.#opened.map((dispatcher) => dispatcher.destroy()));
  }

  async #open(url: URL): Promise<Route> {
    const proxy = this.#options.proxies && proxyFor(url, this.#options.proxies);
    const direct = await this.#connector(url);
    if (proxy === undefined) return throughPool(this.#pool(url, direct));
    const toProxy = proxyConnector(proxy, await this.#connector(proxy.origin), url.host);
    const dispatcher = this.#pool(proxy.origin, toProxy);
    if (url.protocol === 'http:') return throughForwarder(dispatcher, proxy);
    return throughPool(this.#pool(url, tunnelConnector({ proxy, dispatcher, secure: direct })));
  }

  async #connector(url: URL): Promise<buildConnector.connector> {
    const certificates = await this.#options.certificates?.(url);
    const tls = certificates === undefined ? this.#tls : hostTlsSettings(this.#options, certificates);
    return buildConnector({ ...tls, timeout: this.#timeouts.connect, autoSelectFamily: true, allowH2: false });
  }

  #pool(url: URL, connect: buildConnector.connector): Pool {
    if (this.#closed) throw new errors.ClientDestroyedError();
    const { headers, body } = this.#timeouts;
    const pool = new Pool(url.origin, { allowH2: false, headersTimeout: headers, bodyTimeout: body, connect });
    this.#opened.push(pool);
    return pool;
  }
}

function throughPool(dispatcher: Dispatcher): Route {
  return {
    dispatcher,
    address: ({ origin, pathname, search }) => ({ origin, path: `${pathname}${search}`, headers: {} }),
  };
}

/** The proxy is told the whole URL (RFC 9112 §3.2.2, absolute-form). */
function throughForwarder(dispatcher: Dispatcher, proxy: Proxy): Route {
  return {
    dispatcher,
    proxy,
    address: ({ origin, host, pathname, search }) => ({
      origin: proxy.origin.origin,
      path: `${origin}${pathname}${search}`,
      headers: { host, ...proxyHeaders(proxy) },
    }),
  };
}
