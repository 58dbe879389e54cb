// index.yaml of a chart repository (Helm's chart repository guide): which archive a chart of a name and version is. Read
// tolerantly, for what is asked of it; what is used of it is checked.
import * as v from 'valibot';
import type { Digest } from '../../core/digest.ts';
import { AirgapError } from '../../core/errors.ts';
import { recordableUrl, withoutUrlSecrets } from '../../core/url-text.ts';
import type { WebFiles } from '../../registry/web-files.ts';
import { invalid, isTable, readYaml, valueOf, type Origin, type Table } from '../kubernetes-yaml.ts';
import { isChartVersion, isSameVersion, newestFirst } from './chart-version.ts';

/** Bytes; the largest known ones have about 20 MiB. */
const INDEX_LIMIT = 32 * 1024 * 1024;
const SHOWN_VERSIONS = 5;

export interface ChartIndex {
  /** Where it lies. */
  readonly url: string;
  /** Chart to what there is of it, unchecked. */
  readonly entries: Table;
}

export interface IndexedChart {
  /** As the index writes it. */
  readonly version: string;
  /** Of the archive; absolute. */
  readonly url: string;
  /** Of the archive, where the index says it. */
  readonly digest?: Digest;
}

/** The indexes of one run: each is read once, however many charts are taken from its repository. */
export interface ChartIndexes {
  /** @throws MANIFEST_INVALID, CONTENT_MISSING and the errors of any request */
  read(repository: string, signal?: AbortSignal): Promise<ChartIndex>;
}

const EntrySchema = v.object({
  version: v.string(),
  urls: v.pipe(v.array(v.string()), v.minLength(1)),
  digest: v.optional(v.nullable(v.pipe(v.string(), v.regex(/^(?:(?:sha256:)?[0-9a-fA-F]{64})?$/)))),
});

export function chartIndexes(web: Pick<WebFiles, 'read'>): ChartIndexes {
  const reading = new Map<string, Promise<ChartIndex>>();
  const read = async (url: string, signal: AbortSignal | undefined): Promise<ChartIndex> =>
    parseIndex((await web.read(url, { limit: INDEX_LIMIT, signal })).toString('utf8'), url);
  return {
    read: (repository, signal) => {
      const url = indexUrl(repository);
      const index = reading.get(url) ?? read(url, signal);
      reading.set(url, index);
      return index;
    },
  };
}

export function indexUrl(repository: string): string {
  const url = folderOf(repository);
  url.pathname += 'index.yaml';
  return url.href;
}

/** @param url where it was read. @throws MANIFEST_INVALID when it is no index of charts */
export function parseIndex(text: string, url: string): ChartIndex {
  const origin: Origin = { where: recordableUrl(url), code: 'MANIFEST_INVALID' };
  const [document] = readYaml(text, origin);
  const entries =
    isTable(document) && valueOf(document, 'apiVersion') === 'v1' ? valueOf(document, 'entries') : undefined;
  if (!isTable(entries)) throw invalid(origin, 'is no index of charts: expected apiVersion v1 and entries');
  return { url, entries };
}

/**
 * The exact version, or else one that differs only in how it is written (a leading v, build metadata).
 * @throws CONTENT_MISSING, URL_REFUSED, MANIFEST_INVALID when the entry has no usable URL or digest
 */
export function findChart(
  index: ChartIndex,
  { name, version }: { readonly name: string; readonly version: string },
  repository: string,
): IndexedChart {
  const listed = valueOf(index.entries, name);
  const entries = Array.isArray(listed) ? listed.filter(isTable) : [];
  const found =
    entries.find((entry) => versionOf(entry) === version) ??
    entries.find((entry) => isSameVersion(versionOf(entry), version));
  if (found === undefined) throw missing(index, { name, version }, entries.map(versionOf));
  const entry = v.safeParse(EntrySchema, found);
  if (!entry.success) {
    const fault = `${v.getDotPath(entry.issues[0]) ?? 'entry'}: ${entry.issues[0].message}`;
    throw invalid(
      { where: recordableUrl(index.url), code: 'MANIFEST_INVALID' },
      `is wrong about ${name} ${version}: ${fault}`,
    );
  }
  const { urls, digest } = entry.output;
  const hex = (digest ?? '').replace(/^sha256:/, '').toLowerCase();
  return {
    version: entry.output.version,
    url: archiveUrl(urls[0] ?? '', repository, index.url),
    ...(hex === '' ? {} : { digest: `sha256:${hex}` as Digest }),
  };
}

function versionOf(entry: Table): string {
  const version = valueOf(entry, 'version');
  return typeof version === 'string' ? version : '';
}

/** Relative addresses start from the repository, and keep its query as Helm does. */
function archiveUrl(text: string, repository: string, from: string): string {
  const url = URL.parse(text) ?? below(repository, text);
  if (url === undefined)
    throw invalid(
      { where: from, code: 'MANIFEST_INVALID' },
      `is wrong: ${JSON.stringify(text.slice(0, 200))} is not a URL`,
    );
  if (/^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url.href;
  throw new AirgapError(
    'URL_REFUSED',
    `${recordableUrl(from)} sends us to ${JSON.stringify(withoutUrlSecrets(text).slice(0, 200))}`,
    {
      hint:
        url.protocol === 'oci:'
          ? `Name the chart among "images" of airgap.yaml: ${url.host}${url.pathname}`
          : 'Only http and https addresses without credentials are followed.',
    },
  );
}

/** Undefined where the path cannot be a part of a URL. */
function below(repository: string, path: string): URL | undefined {
  const base = folderOf(repository);
  const url = URL.parse(path, base.href);
  if (url !== null && url.search === '') url.search = base.search;
  return url ?? undefined;
}

function folderOf(repository: string): URL {
  const base = new URL(repository);
  base.pathname = base.pathname.replace(/\/*$/, '/');
  return base;
}

function missing(
  index: ChartIndex,
  { name, version }: { readonly name: string; readonly version: string },
  versions: readonly string[],
): AirgapError {
  const where = recordableUrl(index.url);
  const shown = newestFirst(versions.filter(isChartVersion)).slice(0, SHOWN_VERSIONS);
  return new AirgapError(
    'CONTENT_MISSING',
    `${where} has no ${shown.length === 0 ? 'chart' : `version ${version} of`} ${name}`,
    {
      hint: shown.length === 0 ? 'Check the name of the chart, and its repository.' : `It has ${shown.join(', ')}.`,
      details: { index: where, chart: name, version, versions: shown },
    },
  );
}
