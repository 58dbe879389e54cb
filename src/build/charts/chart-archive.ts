// A packaged chart, as Helm loads one: Chart.yaml, values.yaml, the text of its templates, and its sub-charts, be they
// folders or archives below charts/. What is made of the values is chart-values.ts.
import type { ByteStream } from '../../core/streams.ts';
import { contentOf } from '../../oci/content.ts';
import { invalid, isTable, readYaml, type Origin, type Table } from '../kubernetes-yaml.ts';
import { readArchiveFiles, type Budget } from './archive-files.ts';
import type { Chart } from './chart.ts';
import { parseMetadata, type ChartMetadata } from './chart-metadata.ts';
import { countCharts, overlay } from './chart-values.ts';

/** Bytes of a packaged chart that are accepted at most. */
export const ARCHIVE_LIMIT = 32 * 1024 * 1024;

const UNPACKED_LIMIT = 128 * 1024 * 1024;
const FILES_LIMIT = 20_000;
const DEPTH_LIMIT = 8;
const CHARTS_LIMIT = 1000;

/** Chart.yaml becomes annotations of a manifest, which registries accept up to 4 MiB. */
const METADATA_LIMIT = 1024 * 1024;

/** What of an archive is looked into, in the chart itself or in a folder below charts/. */
const KEPT = /^(?:charts\/[^/]+\/)*(?:(?:Chart|values|requirements)\.yaml|templates\/.+|charts\/[^/]+\.tgz)$/;

interface Context {
  readonly origin: Origin;
  readonly budget: Budget;
  readonly depth: number;
}

type Files = ReadonlyMap<string, Buffer>;

/**
 * @param archive the .tgz; nothing of it is trusted
 * @throws `origin.code` when it is no chart, or larger than any chart that Helm takes; what the stream throws
 */
export async function readChart(archive: ByteStream, origin: Origin): Promise<Chart> {
  const chart = await readPacked(archive, { origin, budget: { bytes: UNPACKED_LIMIT, files: FILES_LIMIT }, depth: 0 });
  // one sub-chart under many aliases, in a sub-chart under many aliases
  if (countCharts(chart) > CHARTS_LIMIT) throw invalid(origin, `comes to more than ${CHARTS_LIMIT} charts`);
  return chart;
}

async function readPacked(archive: ByteStream, context: Context): Promise<Chart> {
  return chartOf(await readArchiveFiles(archive, { ...context, keep: (path) => KEPT.test(path) }), context);
}

async function chartOf(files: Files, context: Context): Promise<Chart> {
  if (context.depth > DEPTH_LIMIT) throw invalid(context.origin, `has sub-charts more than ${DEPTH_LIMIT} deep`);
  return {
    metadata: metadataOf(files, context.origin),
    values: tablesIn(files, 'values.yaml', context.origin).reduce(overlay, {}),
    templates: templatesOf(files),
    charts: await subcharts(files, context),
  };
}

function metadataOf(files: Files, origin: Origin): ChartMetadata {
  const size = files.get('Chart.yaml')?.byteLength;
  if (size === undefined) throw invalid(origin, 'is no chart: it has no Chart.yaml');
  if (size > METADATA_LIMIT) throw invalid(origin, `has a Chart.yaml of more than ${METADATA_LIMIT} bytes`);
  const [document = {}] = tablesIn(files, 'Chart.yaml', origin);
  // charts of the first format declare their dependencies in a file of their own
  const [requirements] = tablesIn(files, 'requirements.yaml', origin);
  return parseMetadata({ ...document, ...requirements }, { ...origin, where: `Chart.yaml of ${origin.where}` });
}

function templatesOf(files: Files): ReadonlyMap<string, string> {
  const texts = [...files].filter(([path]) => path.startsWith('templates/'));
  return new Map(texts.map(([path, bytes]) => [path, bytes.toString('utf8')]));
}

async function subcharts(files: Files, context: Context): Promise<Chart[]> {
  const charts: Chart[] = [];
  for (const name of subchartNames(files)) {
    const where = `charts/${name} of ${context.origin.where}`;
    const below: Context = { ...context, origin: { ...context.origin, where }, depth: context.depth + 1 };
    const packed = files.get(`charts/${name}`);
    charts.push(
      await (packed
        ? readPacked(contentOf(packed).open(0), below)
        : chartOf(filesBelow(files, `charts/${name}/`), below)),
    );
  }
  return charts;
}

/** Folders and archives; Helm passes over those that begin with a dot or an underscore. */
function subchartNames(files: Files): string[] {
  const names = [...files.keys()].map((path) => /^charts\/([^/]+)/.exec(path)?.[1] ?? '');
  return [...new Set(names)].filter((name) => /^[^._]/.test(name)).sort();
}

function filesBelow(files: Files, folder: string): Files {
  const below = [...files].filter(([path]) => path.startsWith(folder));
  return new Map(below.map(([path, bytes]) => [path.slice(folder.length), bytes]));
}

function tablesIn(files: Files, path: string, origin: Origin): Table[] {
  const there: Origin = { ...origin, where: `${path} of ${origin.where}` };
  const documents = readYaml((files.get(path) ?? '').toString('utf8'), there).filter((document) => document !== null);
  if (documents.every(isTable)) return documents;
  throw invalid(there, 'is not a list of keys and values');
}
