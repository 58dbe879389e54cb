// The five URLs that a registry controls: redirect, upload Location, bearer realm, foreign-layer urls, pagination Link.
// Every one is judged here before it is used, and nothing else decides it (GHSA-vh4v-2xq2-g5cg, GHSA-jxpm-75mh-9fp7,
// GHSA-xf85-363p-868w, GHSA-qvqc-4c52-x6qp, GHSA-h7vf-4x9w-h99v). Pure functions; names are not looked up.
import { AirgapError } from '../core/errors.ts';
import { withoutUrlSecrets } from '../core/url-text.ts';
import { isLoopback, maySendTo, placeOf } from './host-place.ts';

/** The registry a URL came from. */
export interface Sender {
  /** Origin that requests to the registry go to. */
  readonly origin: URL;
  /** Whether plain HTTP beyond loopback was asked for. */
  readonly plainHttp: boolean;
}

const URL_LIMIT = 8192;

/** Whether credentials meant for `a` may go to `b`: same scheme, host and port. */
export function sameOrigin(a: URL, b: URL): boolean {
  return a.protocol === b.protocol && a.host === b.host;
}

/**
 * Where a redirect of a GET or HEAD leads; `from` is the URL that answered it. The caller drops Authorization unless it
 * is the registry's own origin. @throws URL_REFUSED
 */
export function checkRedirect(location: string, from: URL, sender: Sender): URL {
  const url = parse('redirect', location, from);
  checkPlace('redirect', url, sender);
  checkScheme('redirect', url, from, sender);
  return url;
}

/**
 * Where an upload goes on: the registry's own origin only, since blob and credentials are sent there. A registry behind
 * a proxy that ends TLS may write http:// for our https://; that is put right. @throws URL_REFUSED
 */
export function checkUploadLocation(location: string, request: URL, sender: Sender): URL {
  return ownUrl('upload Location', location, request, sender);
}

/** The next page of a list: the registry's own origin only, since credentials are sent there. @throws URL_REFUSED */
export function checkNextPage(link: string, request: URL, sender: Sender): URL {
  return ownUrl('pagination Link', link, request, sender);
}

/**
 * A token service: another host is normal (auth.docker.io), but it gets credentials, so it must be https, or plain HTTP
 * only where the registry is spoken to so. @throws URL_REFUSED
 */
export function checkRealm(realm: string, sender: Sender): URL {
  const url = parse('bearer realm', realm);
  checkPlace('bearer realm', url, sender);
  checkScheme('bearer realm', url, sender.origin, sender);
  return url;
}

/** An address in a descriptor's `urls`, fetched without credentials. @throws URL_REFUSED */
export function checkForeignLayerUrl(address: string, sender: Sender): URL {
  return elsewhere('foreign-layer url', address, sender);
}

/** An address that a chart repository's index names beyond its own origin, fetched without credentials. @throws URL_REFUSED */
export function checkIndexedUrl(address: string, sender: Sender): URL {
  return elsewhere('url in its index', address, sender);
}

/** A URL for messages: without query (signed URLs hold secrets there), userinfo and fragment. */
export function showUrl(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 500);
}

function elsewhere(what: string, address: string, sender: Sender): URL {
  const url = parse(what, address);
  checkPlace(what, url, sender);
  if (url.protocol === 'https:' || (isLoopback(url.hostname) && isLoopback(sender.origin.hostname))) return url;
  throw refused(what, url, 'it is not https');
}

function ownUrl(what: string, text: string, request: URL, sender: Sender): URL {
  const url = parse(what, text, request);
  const own = sender.origin;
  if (sameOrigin(url, own)) return url;
  const sameHost = url.hostname === own.hostname && (url.port === own.port || url.port === portOf(own));
  if (!sameHost || own.protocol !== 'https:') throw refused(what, url, `it is not on ${own.origin}`);
  const right = new URL(own.origin);
  // set, not parsed: a path that begins with // would be taken for another host
  right.pathname = url.pathname;
  right.search = url.search;
  return right;
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80');
}

function parse(what: string, text: string, base?: URL): URL {
  const url = text.length <= URL_LIMIT ? URL.parse(text, base?.href) : null;
  if (url === null) {
    throw new AirgapError(
      'URL_REFUSED',
      `the ${what} that ${base?.host ?? 'the server'} sent is not a URL: ${JSON.stringify(withoutUrlSecrets(text).slice(0, 100))}`,
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused(what, url, 'it is neither http nor https');
  if (url.username !== '' || url.password !== '') throw refused(what, url, 'it has a user name or password in it');
  url.hash = '';
  return url;
}

function checkPlace(what: string, url: URL, sender: Sender): void {
  const to = placeOf(url.hostname);
  if (maySendTo(placeOf(sender.origin.hostname), to)) return;
  const near = to === 'private' ? 'a private network' : to === 'link' ? 'the local link' : 'this machine';
  throw refused(what, url, `it points into ${near}, where ${sender.origin.host} is not`);
}

function checkScheme(what: string, url: URL, from: URL, sender: Sender): void {
  if (url.protocol === 'https:' || (isLoopback(url.hostname) && isLoopback(from.hostname))) return;
  if (from.protocol === 'http:' && sender.plainHttp) return;
  throw refused(
    what,
    url,
    from.protocol === 'https:' ? 'it leads from https to http' : 'it is plain http beyond loopback',
  );
}

function refused(what: string, url: URL, why: string): AirgapError {
  return new AirgapError('URL_REFUSED', `the server sent a ${what} that is not followed: ${showUrl(url)}: ${why}`, {
    hint: 'Check the address of the server and the proxies before it; a server that answers this may be misconfigured or hostile.',
    details: { what, url: showUrl(url) },
  });
}
