// The images that a chart names when nothing is set: in its values, literally in its templates, and in the list that it
// keeps for Artifact Hub. Templates are not rendered, so what one puts together of other values is not seen.
import { isAirgapError } from '../../core/errors.ts';
import { isTable, readYaml, valueOf, type Table } from '../kubernetes-yaml.ts';
import { referenceIn, unique } from '../named-images.ts';
import type { Chart } from './chart.ts';
import { usedCharts, type UsedChart } from './chart-values.ts';

/** What the image's name and tag follow from, beside the value itself. */
interface Owner {
  readonly appVersion: string | undefined;
  /** The registry that `global.imageRegistry` sets for all. */
  readonly registry: string | undefined;
  /** Texts of the chart's templates. */
  readonly templates: readonly string[];
}

/** `image: registry/name:tag` on a line of its own, or as the first key of an item; never an expression. */
const LITERAL = /^[ \t]*(?:-[ \t]+)?"?image"?:[ \t]+["']?([^\s"'{}]+)["']?[ \t]*(?:#.*)?$/gm;

const ANNOTATION = 'artifacthub.io/images';

/** `printf "v%s" .Chart.AppVersion`, and the like, where the tag is left empty. */
const TAG_WITH_V = /"v%s"[^}\n]*AppVersion|AppVersion[^}\n]*"v%s"|v\{\{-? *\.Chart\.AppVersion/;

const CONTAINERS = /^[ \t]*(?:-[ \t]+)?"?(?:initC|c)ontainers"?:/m;

/** What could not be read for images, each the rest of a sentence about the chart: charts that run containers and name none. */
export function unreadInChart(chart: Chart): string[] {
  const unread = usedCharts(chart).filter((used) => {
    const found = [...imagesOf(used)].some((image) => referenceIn(image) !== undefined);
    return !found && manifestsOf(used.chart).some((text) => CONTAINERS.test(text));
  });
  const names = new Set(unread.map(({ chart: { metadata } }) => metadata.name));
  return [...names].map(
    (name) => `has templates with containers (of the chart ${name}), and no image of them was recognised`,
  );
}

/** Full references, each once, sorted: of the chart, and of its sub-charts that are switched on by default. */
export function chartImages(chart: Chart): string[] {
  return unique(
    usedCharts(chart)
      .flatMap((used) => [...imagesOf(used)])
      .flatMap((image) => referenceIn(image) ?? []),
  );
}

function* imagesOf({ chart, values }: UsedChart): Generator<string> {
  const { annotations = {} } = chart.metadata;
  const global = valueOf(values, 'global');
  const registry = isTable(global) ? textOf(global, 'imageRegistry') : undefined;
  const templates = manifestsOf(chart);
  const version = textOf(chart.metadata, 'appVersion');
  const withV = templates.some((text) => TAG_WITH_V.test(text)) && version?.startsWith('v') === false;
  yield* imagesInValues(values, { appVersion: withV ? `v${version}` : version, registry, templates });
  for (const text of templates) yield* literalImages(text);
  yield* annotatedImages(textOf(annotations, ANNOTATION) ?? '');
}

function manifestsOf({ templates }: Chart): string[] {
  return [...templates].filter(([path]) => path !== 'templates/NOTES.txt').map(([, text]) => text);
}

/** @param key of the value; @param above of what the value lies in. `image` names one, `images` any below it. */
function* imagesInValues(value: unknown, owner: Owner, key = '', above = ''): Generator<string> {
  const isNamed = /images?$/i.test(key) || /images$/i.test(above);
  if (Array.isArray(value)) {
    for (const item of value) yield* imagesInValues(item, owner, key, above);
  } else if (isTable(value)) {
    const image = isNamed || isSplit(value) ? imageOf(value, owner, key) : undefined;
    if (image !== undefined) yield image;
    if (!isSplit(value)) yield* taggedBeside(value);
    const members = Object.entries(value).filter(([name]) => name !== 'image' || !isSplit(value));
    for (const [name, member] of members) yield* imagesInValues(member, owner, name, image === undefined ? key : '');
  } else if (isNamed && typeof value === 'string' && isPinned(value)) {
    yield value;
  }
}

/** `{image, registry or tag, …}`, where the image alone is none: `{registry, image, tag}`. */
function isSplit(value: Table): boolean {
  const parts = ['registry', 'tag', 'digest'].map((key) => textOf(value, key));
  return textOf(value, 'image') !== undefined && textOf(value, 'repository') === undefined && parts.some(Boolean);
}

/** Of `{repository, tag?, digest?, registry?}` and its other forms. A tag that is missing is the version of the application. */
function imageOf(value: Table, owner: Owner, key: string): string | undefined {
  const repository = repositoryOf(value, owner, key);
  if (repository === undefined) return undefined;
  const name = `${prefixOf(value, repository, owner)}${repository}`;
  const tag = textOf(value, 'tag') ?? owner.appVersion;
  const digest = textOf(value, 'digest');
  if (isPinned(name) || (tag ?? digest) === undefined) return name;
  return `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** `{repository, name}` are two parts of it, where the templates do not say that the name is something else. */
function repositoryOf(value: Table, { templates }: Owner, key: string): string | undefined {
  const [repository, name] = [textOf(value, 'repository'), textOf(value, 'name')];
  if (repository === undefined) {
    const hasParts = textOf(value, 'tag') !== undefined || textOf(value, 'registry') !== undefined;
    return textOf(value, 'image') ?? (hasParts ? name : undefined);
  }
  if (name === undefined || isPinned(repository) || repository.split('/').at(-1) === name) return repository;
  const uses = (part: string): boolean => templates.some((text) => text.includes(`${key}.${part}`));
  return uses('repository') && !uses('name') ? repository : `${repository}/${name}`;
}

/** A registry of its own, or the one for all, which a name that has a registry already does not get. */
function prefixOf(value: Table, repository: string, owner: Owner): string {
  const own = textOf(value, 'registry');
  const hasHost = /^(?:[^/]*[.:][^/]*|localhost)\//.test(repository);
  const registry = own === undefined && hasHost ? undefined : (owner.registry ?? own);
  return registry === undefined ? '' : `${registry}/`;
}

/** `image: name` beside `imageTag: tag`, as older charts have it. */
function* taggedBeside(table: Table): Generator<string> {
  for (const key of Object.keys(table).filter((name) => /image$/i.test(name))) {
    const [name, tag] = [textOf(table, key), textOf(table, `${key}Tag`)];
    if (name !== undefined && tag !== undefined && !isPinned(name)) yield `${name}:${tag}`;
  }
}

function* literalImages(template: string): Generator<string> {
  for (const [, image = ''] of template.matchAll(LITERAL)) if (isPinned(image)) yield image;
}

/** A list in YAML, as text. One that cannot be read is no reason not to carry the chart. */
function annotatedImages(text: string): string[] {
  try {
    const listed = readYaml(text, { where: ANNOTATION, code: 'MANIFEST_INVALID' }).flat();
    return listed.filter(isTable).flatMap((item) => textOf(item, 'image') ?? []);
  } catch (error) {
    if (isAirgapError(error, 'MANIFEST_INVALID')) return [];
    throw error;
  }
}

/** Whether it has a tag or a digest; what has none is often no image, whatever its key. */
function isPinned(name: string): boolean {
  return name.includes('@') || name.lastIndexOf(':') > name.lastIndexOf('/');
}

/** Tags that look like numbers are some. */
function textOf(table: Table, key: string): string | undefined {
  const value = valueOf(table, key);
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : undefined;
}
