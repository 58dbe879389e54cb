// From a chart that airgap.yaml asks for to what the lock pins: its archive, the OCI artifact that follows from it, and
// the images that it names. Fetching what is locked is fetch-chart.ts.
import { resolve } from 'node:path';
import { recordedUrl, type LockedImage, type Verified } from '../../bundle/lock.ts';
import type { ChartSource } from '../../bundle/spec.ts';
import type { Activity } from '../../core/events.ts';
import { AirgapError } from '../../core/errors.ts';
import { borrowFileRange } from '../../core/named-file.ts';
import type { BorrowedStream } from '../../core/streams.ts';
import { recordableUrl } from '../../core/url-text.ts';
import type { Cache, Identity } from '../../oci/cache.ts';
import { contentOf } from '../../oci/content.ts';
import type { WebFiles } from '../../registry/web-files.ts';
import { inFull, requireNamed } from '../ignored-images.ts';
import { invalid, type Origin } from '../kubernetes-yaml.ts';
import { namingImage } from '../resolve.ts';
import type { Chart } from './chart.ts';
import { ARCHIVE_LIMIT, readChart } from './chart-archive.ts';
import { chartArtifact, chartReference } from './chart-artifact.ts';
import { chartImages, unreadInChart } from './chart-images.ts';
import { findChart, type ChartIndexes } from './chart-index.ts';
import { isChartVersion } from './chart-version.ts';

export interface LockChartContext extends Activity {
  readonly cache: Pick<Cache, 'add' | 'fetch' | 'push'>;
  readonly web: Pick<WebFiles, 'borrow'>;
  /** Those of the run. */
  readonly indexes: ChartIndexes;
  /** The folder that relative paths start from. */
  readonly folder: string;
}

interface Found {
  readonly chart: Chart;
  readonly archive: Identity;
  readonly from: ReturnType<typeof recordedUrl> | { readonly path: string };
  readonly name: string;
  readonly verified: Verified;
}

interface InRepository {
  readonly repository: string;
  readonly name: string;
  readonly version: string;
}

/**
 * Archive, config and manifest are in the cache afterwards.
 * @throws CONTENT_MISSING, DIGEST_MISMATCH when the repository's index says otherwise than its archive, MANIFEST_INVALID
 * (the index, a chart of a repository), CONFIG_INVALID (a file that is no chart), REFERENCE_INVALID, FILE_NOT_FOUND and
 * the errors of any request; each begins with the chart's name, or the path of its file
 */
export async function lockChart(source: ChartSource, context: LockChartContext): Promise<LockedImage> {
  const { path = '', repository, name = '', version = '' } = source;
  const found = (): Promise<Found> =>
    repository === undefined ? inFile(path, context) : inRepository({ repository, name, version }, context);
  return namingImage(chartTitle(source), async () => locked(await found(), source, context));
}

/** The name that it gets, or the path of its file. @throws CONFIG_INVALID for what is no version, REFERENCE_INVALID */
export function chartTitle({ path = '', repository, name = '', version = '' }: ChartSource): string {
  if (repository === undefined) return path;
  if (!isChartVersion(version)) throw noVersion(name, version);
  return chartReference({ name, version }, repository);
}

async function inRepository(wanted: InRepository, context: LockChartContext): Promise<Found> {
  const { web, signal } = context;
  const { repository, name } = wanted;
  const index = await context.indexes.read(repository, signal);
  const { url, version, digest } = findChart(index, wanted, repository);
  const [shown, indexUrl] = [recordableUrl(url), recordableUrl(index.url)];
  const origin: Origin = { where: shown, code: 'MANIFEST_INVALID' };
  const archive = await addArchive(web.borrow(url, { foundAt: index.url, signal }), origin, context);
  if (digest !== undefined && digest !== archive.digest)
    throw indexLies(indexUrl, `${name} ${version} is ${digest}, found ${archive.digest} at ${shown}`);
  const chart = await readArchive(archive, origin, context);
  const { metadata } = chart;
  if (metadata.name !== name || metadata.version !== version)
    throw indexLies(indexUrl, `${shown} is ${name} ${version}, found ${metadata.name} ${metadata.version}`);
  return {
    chart,
    archive,
    from: recordedUrl(url),
    name: chartReference(metadata, repository),
    verified: digest === undefined ? 'none' : { by: 'checksum', from: indexUrl },
  };
}

async function inFile(path: string, context: LockChartContext): Promise<Found> {
  const { folder, signal } = context;
  const origin: Origin = { where: path, code: 'CONFIG_INVALID' };
  const archive = await addArchive(borrowFileRange(resolve(folder, path), { signal }), origin, context);
  const chart = await readArchive(archive, origin, context);
  return { chart, archive, from: { path }, name: chartReference(chart.metadata, undefined), verified: 'none' };
}

async function locked(
  found: Found,
  { ignoreImages = [] }: ChartSource,
  context: LockChartContext,
): Promise<LockedImage> {
  const { archive, chart, name } = found;
  const { config, manifest } = chartArtifact(chart.metadata, archive);
  for (const { descriptor, bytes } of [config, manifest]) await context.cache.push(descriptor, contentOf(bytes));
  const ignored = ignoreImages.map(inFull);
  const named = chartImages(chart);
  const unread = unreadInChart(chart);
  for (const why of unread) context.report?.({ type: 'warning', message: `${name} ${why}` });
  requireNamed(ignored, named, name);
  const { digest, mediaType, size } = manifest.descriptor;
  return {
    name,
    digest,
    mediaType,
    size,
    platforms: [],
    artifact: true,
    chart: { name: chart.metadata.name, version: chart.metadata.version, ...found.from, ...archive },
    images: named.filter((image) => !ignored.includes(image)),
    ...(unread.length === 0 ? {} : { unread }),
    totalSize: archive.size + config.descriptor.size + size,
    verified: found.verified,
    accompanying: [],
  };
}

function addArchive(stream: BorrowedStream, origin: Origin, { cache, signal }: LockChartContext): Promise<Identity> {
  const tooLong = (): AirgapError => invalid(origin, `is no chart: it has more than ${ARCHIVE_LIMIT} bytes`);
  return cache.add(stream, { limit: ARCHIVE_LIMIT, tooLong, signal });
}

function readArchive(archive: Identity, origin: Origin, { cache, signal }: LockChartContext): Promise<Chart> {
  return readChart(cache.fetch(archive, { signal }), origin);
}

function indexLies(index: string, what: string): AirgapError {
  return new AirgapError('DIGEST_MISMATCH', `${index} says that ${what}`, {
    hint: 'The index and the archive of the repository do not belong together: ask those who publish it.',
    details: { index },
  });
}

function noVersion(name: string, version: string): AirgapError {
  return new AirgapError('CONFIG_INVALID', `${name}: ${JSON.stringify(version)} is not the version of a chart`, {
    hint: 'Write one version, such as 3.5.0: a lock cannot pin a range.',
  });
}
