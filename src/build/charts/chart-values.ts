// The values that a chart and its sub-charts get when nothing is set, and which sub-charts are switched on then: Helm's
// coalescing of values, conditions and tags (helm.sh/helm/v4/pkg/chart/v2/util). What a parent imports from the values of
// a sub-chart (import-values) is counted with the sub-chart.
import { isTable, valueAt, valueOf, type Table } from '../kubernetes-yaml.ts';
import type { Chart } from './chart.ts';
import type { ChartDependency } from './chart-metadata.ts';

/** A chart where it is used. */
export interface UsedChart {
  readonly chart: Chart;
  /** Its own, under what its parents set for it; those of its sub-charts, switched on or off, left out. */
  readonly values: Table;
}

interface Subchart {
  /** The key of its values in the parent's: its alias, or its name. */
  readonly key: string;
  readonly chart: Chart;
  readonly dependency?: ChartDependency;
}

/** `over` on top of `base`. To Helm a null takes the key away; here it stays, and means the same. */
export function overlay(base: Table, over: Table): Table {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(key, isTable(below) && isTable(value) ? overlay(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/** The chart, and every chart below it that is switched on; one with two aliases comes twice. */
export function usedCharts(chart: Chart): UsedChart[] {
  const values = coalesce(chart, {});
  return [...used(chart, values, tableAt(values, 'tags'))];
}

/** How many charts there are in all, each alias counted. */
export function countCharts(chart: Chart, known = new Map<Chart, number>()): number {
  const count = known.get(chart) ?? subcharts(chart).reduce((sum, below) => sum + countCharts(below.chart, known), 1);
  known.set(chart, count);
  return count;
}

/** With the values of each sub-chart under its key. */
function coalesce(chart: Chart, given: Table): Table {
  const values = overlay(chart.values, given);
  const global = valueOf(values, 'global');
  const shared = isTable(global) ? { global } : {};
  const below = subcharts(chart).map(
    ({ key, chart: subchart }) => [key, coalesce(subchart, overlay(tableAt(values, key), shared))] as const,
  );
  return { ...values, ...Object.fromEntries(below) };
}

/** @param tags those that decide; none where Helm does not look whether anything is switched off */
function* used(chart: Chart, values: Table, tags: Table | undefined): Generator<UsedChart> {
  const below = subcharts(chart);
  const keys = new Set(below.map(({ key }) => key));
  yield { chart, values: Object.fromEntries(Object.entries(values).filter(([key]) => !keys.has(key))) };
  for (const { key, chart: subchart, dependency } of below) {
    if (tags !== undefined && dependency !== undefined && !isEnabled(dependency, values, tags)) continue;
    const own = tableAt(values, key);
    const deciding = chart.metadata.dependencies && tags && overlay(tableAt(own, 'tags'), tags);
    yield* used(subchart, own, deciding);
  }
}

function subcharts({ metadata: { dependencies = [] }, charts }: Chart): Subchart[] {
  const declared = dependencies.flatMap((dependency) =>
    charts
      .filter(({ metadata: { name } }) => name === dependency.name)
      .map((chart) => ({ key: dependency.alias || dependency.name, chart, dependency })),
  );
  const others = charts.filter((chart) => !declared.some((subchart) => subchart.chart === chart));
  return [...declared, ...others.map((chart) => ({ key: chart.metadata.name, chart }))];
}

/** The first condition that is true or false decides; then, tags. */
function isEnabled({ condition = '', tags: names = [] }: ChartDependency, values: Table, tags: Table): boolean {
  const said = condition
    .trim()
    .split(',')
    .map((path) => valueAt(values, path.split('.')))
    .find((value) => typeof value === 'boolean');
  if (said !== undefined) return said;
  const set = names.map((name) => valueOf(tags, name));
  return set.includes(true) || !set.includes(false);
}

function tableAt(values: Table, key: string): Table {
  const found = valueOf(values, key);
  return isTable(found) ? found : {};
}
