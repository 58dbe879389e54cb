// Where the requests to a registry really go: Docker Hub's other name, mirrors, and the scheme. Loopback registries follow
// Docker's rule: TLS if it is spoken there, else plain HTTP; anywhere else plain HTTP needs its flag.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { withoutUrlSecrets } from '../core/url-text.ts';
import { isRegistryHost, isRepository } from '../oci/reference.ts';
import { discard } from './answer.ts';
import { isNotTls } from './connection-error.ts';
import { isLoopback } from './host-place.ts';
import { showUrl } from './url-policy.ts';
import type { Wire } from './wire.ts';

/** What is spoken to: it decides what an answer means, and how messages speak of it. */
export type ServerKind = 'registry' | 'web server';

export interface Endpoint {
  /** `host[:port]` that credentials are looked up for. */
  readonly credentialHost: string;
  /** Path that repository names get in front, with a slash at its end; empty for none. */
  readonly prefix: string;
  /** Known, or to be found out by asking there. */
  readonly origin: URL | { readonly loopback: string };
}

/** @throws REFERENCE_INVALID, CONFIG_INVALID (mirror), TLS_REQUIRED */
export function endpointOf(
  host: string,
  options: { readonly mirror?: string | undefined; readonly plainHttp: boolean },
): Endpoint {
  if (!isRegistryHost(host))
    throw new AirgapError('REFERENCE_INVALID', `not a registry host: ${JSON.stringify(host.slice(0, 100))}`);
  if (options.mirror !== undefined) return mirrorEndpoint(host, options.mirror, options.plainHttp);
  if (host === 'docker.io' || host === 'index.docker.io') {
    return { credentialHost: 'docker.io', prefix: '', origin: new URL('https://registry-1.docker.io') };
  }
  const url = new URL(`${options.plainHttp ? 'http' : 'https'}://${host}`);
  const loopback = !options.plainHttp && isLoopback(url.hostname);
  return { credentialHost: host, prefix: '', origin: loopback ? { loopback: host } : url };
}

/** Asks a loopback registry in TLS first; only one that does not speak it gets plain HTTP. A bad certificate is an error. */
export async function findOrigin(wire: Wire, host: string, signal?: AbortSignal): Promise<URL> {
  const secure = new URL(`https://${host}`);
  try {
    discard(await wire.exchange({ method: 'GET', url: new URL('/v2/', secure), signal }));
    return secure;
  } catch (error) {
    if (!isAirgapError(error, 'TLS_FAILED', 'REGISTRY_UNREACHABLE') || !isNotTls(error.cause)) throw error;
    return new URL(`http://${host}`);
  }
}

/** The URL of a host's mirror, with the path that goes in front. @throws CONFIG_INVALID, TLS_REQUIRED */
export function mirrorUrl(host: string, mirror: string, plainHttp: boolean): URL {
  const url = URL.parse(mirror);
  const plain =
    url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (!plain) throw noMirror(host, mirror);
  requireTls(url, plainHttp, `the mirror of ${host}`);
  return url;
}

/** @throws TLS_REQUIRED for plain HTTP beyond loopback, where it was not asked for */
export function requireTls(url: URL, plainHttp: boolean, what: string): void {
  if (url.protocol === 'https:' || plainHttp || isLoopback(url.hostname)) return;
  throw new AirgapError('TLS_REQUIRED', `${what} is spoken to without TLS: ${showUrl(url)}`, {
    hint: 'Use https://, or add --plain-http if the network is trusted.',
  });
}

function mirrorEndpoint(host: string, mirror: string, plainHttp: boolean): Endpoint {
  const url = mirrorUrl(host, mirror, plainHttp);
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  if (prefix !== '' && !isRepository(prefix)) throw noMirror(host, mirror);
  return { credentialHost: url.host, prefix: prefix === '' ? '' : `${prefix}/`, origin: new URL(url.origin) };
}

function noMirror(host: string, mirror: string): AirgapError {
  const shown = JSON.stringify(withoutUrlSecrets(mirror).slice(0, 200));
  return new AirgapError('CONFIG_INVALID', `not a URL that can be the mirror of ${host}: ${shown}`, {
    hint: 'Write https://HOST[:PORT][/PREFIX]; credentials for it come from the credentials file.',
  });
}
