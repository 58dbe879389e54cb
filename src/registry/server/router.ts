// From a path to its handler. Names are checked against the reference grammar here, before anything else sees them.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRepository } from '../../oci/reference.ts';
import { handleBlob } from './blobs.ts';
import { methodNotAllowed, type Exchange, type Served } from './exchange.ts';
import { listReferrers, listRepositories, listTags } from './listings.ts';
import { handleManifest } from './manifests.ts';
import { RegistryFailure, sendJson } from './reply.ts';
import { handleUpload, startUpload } from './uploads.ts';

type Handler = (exchange: Exchange) => Promise<void>;

/** The first that fits counts. A repository may have `tags`, `blobs` … in its name, so a name is as long as it can be. */
const ROUTES: readonly (readonly [RegExp, Handler])[] = [
  [/^\/v2\/(.+)\/tags\/list$/, listTags],
  [/^\/v2\/(.+)\/manifests\/([^/]+)$/, handleManifest],
  [/^\/v2\/(.+)\/blobs\/uploads\/?$/, startUpload],
  [/^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, handleUpload],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, handleBlob],
  [/^\/v2\/(.+)\/referrers\/([^/]+)$/, listReferrers],
];

/** @throws RegistryFailure */
export async function route(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { path, query } = splitTarget(request.url ?? '/');
  const method = request.method ?? 'GET';
  const exchange: Exchange = { ...served, request, response, method, query, name: '', reference: '' };
  if (path === '/v2' || path === '/v2/') {
    if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed('GET, HEAD');
    sendJson(response, 200, {});
    return;
  }
  if (path === '/v2/_catalog') return listRepositories(exchange);
  for (const [pattern, handler] of ROUTES) {
    const [matched, name = '', reference = ''] = pattern.exec(path) ?? [];
    if (matched === undefined) continue;
    if (!isRepository(name)) throw new RegistryFailure('NAME_INVALID', 'not a repository name');
    return handler({ ...exchange, name, reference });
  }
  throw new RegistryFailure('UNSUPPORTED', 'no such endpoint', { status: 404 });
}

/** Path and query of a request target, which may be a whole URL (RFC 9112 §3.2). Dots in a path mean nothing here. */
function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const [, path = '', query = ''] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)(?:\?([^#]*))?/i.exec(target) ?? [];
  return { path: decode(path), query: new URLSearchParams(query) };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new RegistryFailure('NAME_INVALID', 'the path is not properly encoded');
  }
}
