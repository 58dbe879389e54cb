// Where a thing is downloaded from whose URL the lock has without its query: airgap.yaml has it for a file, the index of its
// repository for a chart. It is used for the request, and written nowhere.
import { AirgapError } from '../core/errors.ts';
import { recordableUrl } from '../core/url-text.ts';
import type { LockedChart, LockedFile, LockedImage, LockedSelection } from '../bundle/lock.ts';
import type { BundleSpec, ChartSource } from '../bundle/spec.ts';
import type { WebFiles } from '../registry/web-files.ts';
import { chartReference } from './charts/chart-artifact.ts';
import { chartIndexes, findChart } from './charts/chart-index.ts';
import { isSameVersion } from './charts/chart-version.ts';
import { ownName } from './files/wanted-files.ts';
import { wantedCharts } from './wanted-charts.ts';

export interface FullUrls {
  /** @throws CONFIG_INVALID where airgap.yaml does not have it */
  file(file: Pick<LockedFile, 'name' | 'url'>): string;
  /** @throws CONFIG_INVALID, CONTENT_MISSING, and what reading an index fails with */
  chart(image: LockedImage, signal?: AbortSignal): Promise<string>;
}

export interface FullUrlOptions {
  readonly web: Pick<WebFiles, 'read'>;
  /** What was chosen of the catalogue, where something was. */
  readonly selection?: LockedSelection | undefined;
}

export function fullUrls(spec: Pick<BundleSpec, 'files' | 'charts'>, { web, selection }: FullUrlOptions): FullUrls {
  const indexes = chartIndexes(web);
  const charts = wantedCharts(spec, selection).map(({ source }) => source);
  return {
    file: ({ name, url: recorded }) => {
      const { url } = spec.files.find((source) => ownName(source) === name) ?? {};
      if (url === undefined || recordableUrl(url) !== recorded) throw unknown(name);
      return url;
    },
    chart: async ({ name, chart }, signal) => {
      const { repository } = charts.find((source) => chart !== undefined && isOf(source, chart, name)) ?? {};
      if (repository === undefined || chart === undefined) throw unknown(name);
      const { url } = findChart(await indexes.read(repository, signal), chart, repository);
      if (recordableUrl(url) === chart.url) return url;
      throw new AirgapError('UPSTREAM_CHANGED', 'its repository has it at another address than was locked', {
        hint: 'See what changed with "eck-airgap lock --check", and run "eck-airgap lock" again.',
      });
    },
  };
}

function isOf({ repository, name, version = '' }: ChartSource, chart: LockedChart, reference: string): boolean {
  return (
    name === chart.name && isSameVersion(version, chart.version) && chartReference(chart, repository) === reference
  );
}

function unknown(name: string): AirgapError {
  return new AirgapError(
    'CONFIG_INVALID',
    `${name}: the lock has its URL without the query, and airgap.yaml has none`,
    {
      hint: 'Run "eck-airgap lock" again; a lock is not edited by hand.',
    },
  );
}
