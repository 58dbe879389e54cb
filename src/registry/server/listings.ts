// Tags, repositories and referrers (distribution-spec, "content discovery").
import { OCI_INDEX } from '../../oci/media-types.ts';
import { digestOfText, methodNotAllowed, repositoryOf, type Exchange } from './exchange.ts';
import { RegistryFailure, sendJson } from './reply.ts';

export async function listTags(exchange: Exchange): Promise<void> {
  requireRead(exchange);
  const page = pageOf(exchange, [...(await (await repositoryOf(exchange)).tags())].sort());
  sendJson(
    exchange.response,
    200,
    { name: exchange.name, tags: page.items },
    linkHeader(`/v2/${exchange.name}/tags/list`, page),
  );
}

export async function listRepositories(exchange: Exchange): Promise<void> {
  requireRead(exchange);
  const page = pageOf(exchange, await exchange.store.repositories());
  sendJson(exchange.response, 200, { repositories: page.items }, linkHeader('/v2/_catalog', page));
}

export async function listReferrers(exchange: Exchange): Promise<void> {
  requireRead(exchange);
  const subject = digestOfText(exchange.reference);
  const all = (await (await exchange.store.repository(exchange.name))?.referrers(subject)) ?? [];
  // a media type has no space: one in a query is a plus that was not encoded
  const artifactType = exchange.query.get('artifactType')?.replaceAll(' ', '+') ?? null;
  const manifests = artifactType === null ? all : all.filter((descriptor) => descriptor.artifactType === artifactType);
  sendJson(
    exchange.response,
    200,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests },
    {
      'content-type': OCI_INDEX,
      ...(artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' }),
    },
  );
}

interface Page {
  readonly items: readonly string[];
  /** The query of the next page. */
  readonly next: string | undefined;
}

/** `n` items after `last`; all that follow without `n`. */
function pageOf(exchange: Exchange, sorted: readonly string[]): Page {
  const last = exchange.query.get('last');
  const n = exchange.query.get('n');
  if (n !== null && !/^[0-9]{1,9}$/.test(n))
    throw new RegistryFailure('UNSUPPORTED', 'n is a whole number', { status: 400 });
  const after = last === null ? sorted : sorted.filter((item) => item > last);
  const items = n === null ? after : after.slice(0, Number(n));
  const end = items.at(-1);
  const more = n !== null && end !== undefined && items.length < after.length;
  return { items, next: more ? new URLSearchParams({ n, last: end }).toString() : undefined };
}

function linkHeader(path: string, page: Page): Record<string, string> {
  return page.next === undefined ? {} : { link: `<${path}?${page.next}>; rel="next"` };
}

function requireRead(exchange: Exchange): void {
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed('GET, HEAD');
}
