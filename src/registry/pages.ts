// Lists that come in pages with Link headers (RFC 8288; distribution-spec, "Listing tags", "Listing referrers").
import { AirgapError } from '../core/errors.ts';
import { headerOf, type Answer, type Page } from './answer.ts';
import type { Call, Transport } from './transport.ts';
import { checkNextPage, showUrl } from './url-policy.ts';

const PAGE_LIMIT = 4 * 1024 * 1024;
const MAX_PAGES = 1000;
const NEXT = /<([^<>]*)>((?:\s*;\s*[a-z]+\*?\s*=\s*(?:"[^"]*"|[^\s",;]+))*)/gi;

/** Each page in turn, whole. @throws REGISTRY_PROTOCOL when the pages go round in a circle or never end, URL_REFUSED */
export async function* pages(transport: Transport, first: Call): AsyncGenerator<Page> {
  const seen = new Set<string>();
  let call: Call | undefined = first;
  while (call !== undefined) {
    const page: Page = await transport.read(call, PAGE_LIMIT);
    yield page;
    const { answer } = page;
    const next = await nextPage(transport, answer, first.signal);
    if (next !== undefined && (seen.has(next.href) || seen.size >= MAX_PAGES)) {
      throw new AirgapError(
        'REGISTRY_PROTOCOL',
        `${showUrl(answer.url)}: the list does not end (${seen.size + 1} pages)`,
      );
    }
    if (next !== undefined) seen.add(next.href);
    call = next && { ...first, target: next };
  }
}

async function nextPage(
  transport: Transport,
  answer: Answer,
  signal: AbortSignal | undefined,
): Promise<URL | undefined> {
  const link = headerOf(answer, 'link') ?? '';
  for (const [, target = '', parameters = ''] of link.slice(0, 8192).matchAll(NEXT)) {
    if (/;\s*rel\s*=\s*"?next"?\s*(?:;|$)/i.test(parameters))
      return checkNextPage(target, answer.url, await transport.sender(signal));
  }
  return undefined;
}
