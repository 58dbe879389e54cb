// Charts shaped like those that Elastic publishes for a release of ECK: the operator's names its image, the stack's has
// others in it.
import { charts } from '../../src/catalog/files.ts';
import { packChart, type ChartParts } from './chart.ts';
import type { ChartArchive } from './elastic-downloads.ts';

/** @param stack version of eck-stack, where the tables have none for this ECK */
export function elasticCharts(eck: string, stack?: string): Promise<ChartArchive[]> {
  return Promise.all(
    charts(eck, stack).map(async ({ name, version }) => {
      const bytes = await packChart({
        chart: { name, version, appVersion: eck, description: `A stand-in for ${name}` },
        ...(PARTS[name] ?? {}),
      });
      return { name, version, bytes };
    }),
  );
}

const PARTS: Readonly<Record<string, Omit<ChartParts, 'chart'>>> = {
  'eck-operator': {
    values: {
      image: { repository: 'docker.elastic.co/eck/eck-operator', pullPolicy: 'IfNotPresent', tag: null, fips: false },
      imagePullSecrets: [],
      config: { containerRegistry: 'docker.elastic.co', ubiOnly: false },
    },
    templates: {
      'statefulset.yaml': 'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: {{ .Release.Name }} }\n',
    },
  },
  'eck-stack': {
    values: { 'eck-elasticsearch': { enabled: true } },
    subcharts: [
      { chart: { name: 'eck-elasticsearch', version: '0.20.0' }, values: { enabled: true, version: '9.2.2' } },
    ],
  },
};
