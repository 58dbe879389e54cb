// Chart.yaml as Helm understands it (helm.sh/helm/v4/pkg/chart/v2, Metadata): its keys and no others, each of the type that
// it must have in JSON, cleaned as Helm cleans it. What is made of it is the config of the chart as an OCI artifact.
import * as v from 'valibot';
import { invalid, isTable, type Origin, type Table } from '../kubernetes-yaml.ts';
import { isChartVersion } from './chart-version.ts';

const WELL_FORMED = v.check((text: string) => text.isWellFormed(), 'is not well-formed Unicode');

/** YAML takes 1.10 for a number; where Helm expects text, it makes it text again. */
const Plain = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String), WELL_FORMED);

/** Without line breaks and what cannot be printed. */
const Text = v.pipe(
  Plain,
  v.transform((text) => text.replace(/\p{White_Space}/gu, ' ').replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')),
);

const ImportSchema = v.union([Plain, v.object({ child: Plain, parent: Plain })]);

const DEPENDENCIES_LIMIT = 1000;

const DependencySchema = v.object({
  name: Text,
  version: v.optional(Text),
  repository: v.optional(Text, ''),
  condition: v.optional(Text),
  tags: v.optional(v.array(Text)),
  enabled: v.optional(v.boolean()),
  'import-values': v.optional(v.array(ImportSchema)),
  alias: v.optional(v.pipe(Plain, v.regex(/^[a-zA-Z0-9_-]*$/, 'is no alias'))),
});

const MetadataSchema = v.object({
  name: v.pipe(Text, v.regex(/^(?!\.{1,2}$)[^/\\]+$/, 'is no name of a chart')),
  home: v.optional(Text),
  sources: v.optional(v.array(Text)),
  version: v.pipe(Plain, v.check(isChartVersion, 'is no version')),
  description: v.optional(Text),
  keywords: v.optional(v.array(Text)),
  maintainers: v.optional(
    v.array(v.object({ name: v.optional(Text), email: v.optional(Text), url: v.optional(Text) })),
  ),
  icon: v.optional(Text),
  apiVersion: v.optional(Plain, 'v1'),
  condition: v.optional(Text),
  tags: v.optional(Text),
  appVersion: v.optional(Text),
  deprecated: v.optional(v.boolean()),
  annotations: v.optional(v.record(v.pipe(v.string(), WELL_FORMED), Plain)),
  kubeVersion: v.optional(Text),
  dependencies: v.optional(v.pipe(v.array(DependencySchema), v.maxLength(DEPENDENCIES_LIMIT))),
  type: v.optional(v.picklist(['application', 'library', ''])),
});

export type ChartMetadata = v.InferOutput<typeof MetadataSchema>;
export type ChartDependency = v.InferOutput<typeof DependencySchema>;

/** @param document Chart.yaml, parsed. @throws `origin.code` */
export function parseMetadata(document: unknown, origin: Origin): ChartMetadata {
  const parsed = v.safeParse(MetadataSchema, withoutNulls(document));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw invalid(origin, `is not valid: ${v.getDotPath(issue) ?? 'document'}: ${issue.message}`);
}

/** As Helm writes it in JSON: what is empty is left out, but for where a dependency comes from. */
export function metadataJson(metadata: ChartMetadata): Table {
  const { maintainers, dependencies } = metadata;
  return withoutEmpty({
    ...metadata,
    maintainers: maintainers?.map(withoutEmpty),
    dependencies: dependencies?.map((dependency) => ({
      ...withoutEmpty(dependency),
      repository: dependency.repository,
    })),
  });
}

function withoutEmpty(table: Table): Table {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === '' || value === false;
}

/** To Helm, null is the same as no key. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isTable(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([key, member]) => [key, withoutNulls(member)]));
}
