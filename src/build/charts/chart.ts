// A chart once it is read: what Helm would make of it is told by the files beside this one.
import type { Table } from '../kubernetes-yaml.ts';
import type { ChartMetadata } from './chart-metadata.ts';

export interface Chart {
  /** Chart.yaml. */
  readonly metadata: ChartMetadata;
  /** values.yaml. */
  readonly values: Table;
  /** Path (`templates/…`) to text. */
  readonly templates: ReadonlyMap<string, string>;
  /** Sub-charts, whether or not Chart.yaml declares them. */
  readonly charts: readonly Chart[];
}
