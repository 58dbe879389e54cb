// From a path to its handler. Names are checked against the reference grammar here, before anything else sees them.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRepository } from '../../oci/reference.ts';
import { handleBlob } from './blobs.ts';
import { methodNotAllowed, type Exchange } from './exchange.ts';
import { listReferrers, listRepositories, listTags } from './listings.ts';
import { handleManifest } from './manifests.ts';
import { RegistryFailure, sendJson } from './reply.ts';
import type { RegistryStore } from './store.ts';
import { handleUpload, startUpload } from './uploads.ts';

type Handler = (exchange: Exchange) => Promise<void>;

/** The last that fits decides nothing: at most one pattern fits a path with a valid repository name. */
const ROUTES: readonly (readonly [RegExp, Handler])[] = [
  [/^\/v2\/(.+)\/tags\/list$/, listTags],
  [/^\/v2\/(.+)\/manifests\/([^/]+)$/, handleManifest],
  [/^\/v2\/(.+)\/blobs\/uploads\/?$/, startUpload],
  [/^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, handleUpload],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, handleBlob],
  [/^\/v2\/(.+)\/referrers\/([^/]+)$/, listReferrers],
];

export async function route(store: RegistryStore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://registry.invalid');
  const method = request.method ?? 'GET';
  const exchange = { request, response, method, query: url.searchParams, store, name: '', reference: '' };
  const path = decode(url.pathname);
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

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new RegistryFailure('NAME_INVALID', 'the path is not properly encoded');
  }
}
