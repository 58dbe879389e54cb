// Helm charts packed in memory, and indexes of them: deterministic, and as `helm package` and `helm repo index` write them.
// What no tool would write (links, paths that lead elsewhere) is packed too, entry by entry.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { dump } from 'js-yaml';
import { Header } from 'tar';

export interface ChartParts {
  /** Chart.yaml; apiVersion v2 by default. */
  readonly chart: { readonly name: string; readonly version: string } & Readonly<Record<string, unknown>>;
  /** values.yaml; its text, where the text matters. */
  readonly values?: Readonly<Record<string, unknown>> | string;
  /** Name below templates/ to text. */
  readonly templates?: Readonly<Record<string, string>>;
  readonly subcharts?: readonly Subchart[];
  /** Whatever else is in its folder. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

export interface Subchart extends ChartParts {
  /** A .tgz below charts/ instead of a folder. */
  readonly packed?: boolean;
}

export interface ArchiveEntry {
  readonly path: string;
  readonly content?: string | Buffer;
  /** `File` by default. */
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO';
  readonly linkpath?: string;
}

/** A .tgz; a pure function of its parts. */
export async function packChart(parts: ChartParts): Promise<Buffer> {
  const files = await filesOf(parts);
  return packEntries([...files].map(([path, content]) => ({ path: `${parts.chart.name}/${path}`, content })));
}

export function packEntries(entries: readonly ArchiveEntry[]): Buffer {
  return gzipSync(tarOf(entries));
}

export function tarOf(entries: readonly ArchiveEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(1024)]);
}

export interface PublishedChart extends Pick<ChartParts, 'chart'> {
  readonly archive: Buffer;
  /** Below the repository or elsewhere; `<name>-<version>.tgz` there by default. */
  readonly url?: string;
  /** Of the archive by default; null for none. */
  readonly digest?: string | null;
}

/** index.yaml of a repository with these charts. */
export function chartIndex(repositoryUrl: string, charts: readonly PublishedChart[]): string {
  const entries: Record<string, unknown[]> = {};
  for (const published of charts) {
    const { name, version } = published.chart;
    const { url = `${repositoryUrl.replace(/\/$/, '')}/${name}-${version}.tgz`, digest } = published;
    const sum = digest === undefined ? createHash('sha256').update(published.archive).digest('hex') : digest;
    const created = '2026-01-02T03:04:05.678Z';
    const entry = {
      apiVersion: 'v2',
      ...published.chart,
      created,
      urls: [url],
      ...(sum === null ? {} : { digest: sum }),
    };
    (entries[name] ??= []).push(entry);
  }
  return dump({ apiVersion: 'v1', entries, generated: '2026-01-02T03:04:05.678Z' });
}

async function filesOf(parts: ChartParts, folder = ''): Promise<Map<string, string | Buffer>> {
  const files = new Map<string, string | Buffer>();
  files.set(`${folder}Chart.yaml`, dump({ apiVersion: 'v2', ...parts.chart }));
  const { values, templates = {}, subcharts = [] } = parts;
  if (values !== undefined) files.set(`${folder}values.yaml`, typeof values === 'string' ? values : dump(values));
  for (const [name, text] of Object.entries(templates)) files.set(`${folder}templates/${name}`, text);
  for (const [path, content] of Object.entries(parts.files ?? {})) files.set(`${folder}${path}`, content);
  for (const subchart of subcharts) {
    const { name, version } = subchart.chart;
    if (subchart.packed === true) files.set(`${folder}charts/${name}-${version}.tgz`, await packChart(subchart));
    else for (const file of await filesOf(subchart, `${folder}charts/${name}/`)) files.set(...file);
  }
  return files;
}

function blocksOf({ path, content = '', type = 'File', linkpath }: ArchiveEntry): Buffer[] {
  const bytes = Buffer.from(content);
  const block = Buffer.alloc(512);
  const mtime = new Date(0);
  const header = new Header({ path, type, mode: 0o644, size: bytes.byteLength, mtime, ...(linkpath && { linkpath }) });
  if (header.encode(block)) throw new Error(`${path} needs more than one header`);
  return [block, bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)];
}
