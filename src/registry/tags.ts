// The tags of a repository (distribution-spec, "Listing Tags").
import { AirgapError } from '../core/errors.ts';
import { isTag } from '../oci/reference.ts';
import { readScopes, type ManifestContext } from './manifests.ts';
import { pages } from './pages.ts';
import type { Call } from './transport.ts';

const PAGE_SIZE = 1000;

/** In the registry's order; what is no tag is left out. @throws CONTENT_MISSING when there is no such repository */
export async function* listTags(context: ManifestContext, signal?: AbortSignal): AsyncGenerator<string> {
  const target = `${context.name}/tags/list?n=${PAGE_SIZE}`;
  const call: Call = { method: 'GET', target, scopes: readScopes(context), signal };
  for await (const { bytes } of pages(context.transport, call)) yield* parseTags(bytes, context.name);
}

function parseTags(bytes: Buffer, name: string): string[] {
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch {
    document = undefined;
  }
  const tags = typeof document === 'object' && document !== null && 'tags' in document ? document.tags : undefined;
  if (tags === null) return []; // what some registries say of an empty repository
  if (Array.isArray(tags)) return tags.filter((tag): tag is string => typeof tag === 'string' && isTag(tag));
  throw new AirgapError('REGISTRY_PROTOCOL', `the registry answered no list of tags for ${name}`);
}
