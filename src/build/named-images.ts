// The images that Kubernetes manifests name: those of containers wherever a pod template lies, of image volumes, and
// `.spec.image` of custom resources such as ECK's. What ECK derives from a version is the catalogue's to know.
import { isAirgapError } from '../core/errors.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { invalid, isTable, readYaml, valueAt, valueOf, type Origin, type Table } from './kubernetes-yaml.ts';

const CONTAINERS: readonly string[] = ['containers', 'initContainers', 'ephemeralContainers'];

/**
 * Full references of the images in manifests that were published as such, each once, sorted.
 * @throws MANIFEST_INVALID when it is not Kubernetes objects in YAML, or names an image that is no reference
 */
export function imagesInManifest(text: string, where: string): string[] {
  const origin: Origin = { where, code: 'MANIFEST_INVALID' };
  const documents = readYaml(text, origin).filter((document) => document !== null);
  if (!documents.every(isObject)) throw invalid(origin, 'is not a Kubernetes manifest: it has no apiVersion and kind');
  if (documents.length === 0) throw invalid(origin, 'is not a Kubernetes manifest: it is empty');
  return unique(documents.flatMap((object) => [...imagesOf(object)]).map((image) => fullReference(image, origin)));
}

/** The same of any file: where it is not such a manifest, or its images are placeholders, it names none. */
export function imagesInFile(text: string): string[] {
  const found = documentsIn(text)
    .filter(isObject)
    .flatMap((object) => [...imagesOf(object)]);
  return unique(found.flatMap((image) => referenceIn(image) ?? []));
}

/** The full reference that a text is, if it is one. */
export function referenceIn(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch (error) {
    if (isAirgapError(error, 'REFERENCE_INVALID')) return undefined;
    throw error;
  }
}

export function unique(references: Iterable<string>): string[] {
  return [...new Set(references)].sort();
}

function documentsIn(text: string): readonly unknown[] {
  try {
    return readYaml(text, { where: '', code: 'CONFIG_INVALID' });
  } catch (error) {
    if (isAirgapError(error, 'CONFIG_INVALID')) return [];
    throw error;
  }
}

function fullReference(image: string, origin: Origin): string {
  const reference = referenceIn(image);
  if (reference !== undefined) return reference;
  throw invalid(origin, `names an image that is no reference: ${JSON.stringify(image.slice(0, 200))}`);
}

function isObject(document: unknown): document is Table {
  return isTable(document) && ['apiVersion', 'kind'].every((key) => typeof valueOf(document, key) === 'string');
}

/** A custom resource definition speaks of images without naming any. */
function* imagesOf(object: Table): Generator<string> {
  const { kind, items, spec } = object;
  if (kind === 'CustomResourceDefinition') return;
  if (Array.isArray(items)) {
    for (const item of items.filter(isObject)) yield* imagesOf(item);
    return;
  }
  if (isTable(spec)) yield* textAt(spec, 'image');
  yield* imagesBelow(object, '');
}

function* imagesBelow(value: unknown, key: string): Generator<string> {
  if (Array.isArray(value)) {
    for (const item of value) {
      if (isTable(item) && CONTAINERS.includes(key)) yield* textAt(item, 'image');
      if (isTable(item) && key === 'volumes') yield* textAt(item, 'image', 'reference');
      yield* imagesBelow(item, '');
    }
  } else if (isTable(value)) {
    for (const [name, member] of Object.entries(value)) yield* imagesBelow(member, name);
  }
}

/** The text there, if it is one. */
function* textAt(table: Table, ...path: readonly string[]): Generator<string> {
  const found = valueAt(table, path);
  if (typeof found === 'string' && found !== '') yield found;
}
