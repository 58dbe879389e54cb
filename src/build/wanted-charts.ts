// The charts of a bundle: those of the chosen release of ECK, and those that airgap.yaml names. Pure: nothing is read.
import type { LockedSelection, Use } from '../bundle/lock.ts';
import type { BundleSpec, ChartSource } from '../bundle/spec.ts';
import { charts as chartsOf } from '../catalog/files.ts';
import { catalogueIn } from '../catalog/overrides.ts';

export interface WantedChart {
  readonly source: ChartSource;
  /** Absent for the user's own. */
  readonly use?: Use;
}

const REASONS: Readonly<Record<string, string>> = {
  'eck-operator': 'installs the operator with Helm',
  'eck-operator-crds': 'installs the CRDs of ECK with Helm, apart from the operator',
  'eck-stack': 'installs resources of ECK with Helm',
};

/**
 * Each once; one that airgap.yaml names too is as it says there.
 * @param selection what was chosen of the catalogue, where something was
 */
export function wantedCharts({ charts }: Pick<BundleSpec, 'charts'>, selection?: LockedSelection): WantedChart[] {
  const own = charts.map((source): WantedChart => ({ source }));
  if (selection === undefined) return own;
  const { eck } = selection;
  const following = chartsOf(eck, catalogueIn(selection).stackCharts[eck]).map((source): WantedChart => {
    const why = REASONS[source.name] ?? 'belongs to ECK';
    return { source, use: { component: 'eck-operator', version: eck, why } };
  });
  return [...following.filter(({ source }) => !own.some((other) => isSame(other.source, source))), ...own];
}

/** What to warn of: a chart that belongs to the release and that the tables do not know the version of. */
export function chartNotes({ charts }: Pick<BundleSpec, 'charts'>, selection?: LockedSelection): string[] {
  if (selection === undefined || catalogueIn(selection).stackCharts[selection.eck] !== undefined) return [];
  if (charts.some(({ name }) => name === 'eck-stack')) return [];
  const how =
    'name it under "charts" in airgap.yaml, or its version under "stackCharts" in a catalogue file of your own';
  return [
    `which version of the chart eck-stack goes with ECK ${selection.eck} is not known, so it is left out: ${how}`,
  ];
}

function isSame(a: ChartSource, b: ChartSource): boolean {
  const place = ({ repository = '' }: ChartSource): string => repository.replace(/\/+$/, '');
  return place(a) === place(b) && a.name === b.name && a.version === b.version;
}
