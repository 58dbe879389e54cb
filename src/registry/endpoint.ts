// Where the requests to a registry really go: Docker Hub's other name, mirrors, and the scheme. Loopback registries follow
// Docker's rule: TLS if it is spoken there, else plain HTTP; anywhere else plain HTTP needs its flag.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { isRegistryHost, isRepository } from '../oci/reference.ts';
import { discard } from './answer.ts';
import { isNotTls } from './connection-error.ts';
import { isLoopback } from './host-place.ts';
import type { Wire } from './wire.ts';

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

function mirrorEndpoint(host: string, mirror: string, plainHttp: boolean): Endpoint {
  const url = URL.parse(mirror);
  const prefix = url?.pathname.replace(/^\/+|\/+$/g, '') ?? '';
  const plain =
    url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (url === null || !plain || (prefix !== '' && !isRepository(prefix))) {
    throw new AirgapError(
      'CONFIG_INVALID',
      `the mirror of ${host} is not a URL of a registry: ${JSON.stringify(mirror.slice(0, 200).replace(/\/\/[^/]*@/, '//***@'))}`,
      {
        hint: 'Write https://HOST[:PORT][/PREFIX]; credentials for it come from the credentials file.',
      },
    );
  }
  if (url.protocol === 'http:' && !plainHttp && !isLoopback(url.hostname)) {
    throw new AirgapError('TLS_REQUIRED', `the mirror of ${host} is spoken to without TLS: ${url.origin}`, {
      hint: 'Use https://, or add --plain-http if the network is trusted.',
    });
  }
  return { credentialHost: url.host, prefix: prefix === '' ? '' : `${prefix}/`, origin: new URL(url.origin) };
}
