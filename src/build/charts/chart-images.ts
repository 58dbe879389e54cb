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
}

/** `image: registry/name:tag` on a line of its own, or as the first key of an item; never an expression. */
const LITERAL = /^[ \t]*(?:-[ \t]+)?"?image"?:[ \t]+["']?([^\s"'{}]+)["']?[ \t]*(?:#.*)?$/gm;

const ANNOTATION = 'artifacthub.io/images';

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
  yield* imagesInValues(values, { appVersion: textOf(chart.metadata, 'appVersion'), registry });
  for (const [path, text] of chart.templates) if (path !== 'templates/NOTES.txt') yield* literalImages(text);
  yield* annotatedImages(textOf(annotations, ANNOTATION) ?? '');
}

/** @param key of the value; @param above of what the value lies in. `image` names one, `images` any below it. */
function* imagesInValues(value: unknown, owner: Owner, key = '', above = ''): Generator<string> {
  const isNamed = /images?$/i.test(key) || /images$/i.test(above);
  if (Array.isArray(value)) {
    for (const item of value) yield* imagesInValues(item, owner, key, above);
  } else if (isTable(value)) {
    const image = isNamed ? imageOf(value, owner) : undefined;
    if (image !== undefined) yield image;
    yield* taggedBeside(value);
    for (const [name, member] of Object.entries(value))
      yield* imagesInValues(member, owner, name, image === undefined ? key : '');
  } else if (isNamed && typeof value === 'string' && isPinned(value)) {
    yield value;
  }
}

/** Of `{repository, tag?, digest?, registry?}`. A tag that is missing is the version of the application. */
function imageOf(value: Table, owner: Owner): string | undefined {
  const repository = textOf(value, 'repository');
  if (repository === undefined) return undefined;
  const name = `${prefixOf(value, repository, owner)}${repository}`;
  const tag = textOf(value, 'tag') ?? owner.appVersion;
  const digest = textOf(value, 'digest');
  if (isPinned(name) || (tag ?? digest) === undefined) return name;
  return `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
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
