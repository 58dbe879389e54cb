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

export interface NamedInFile {
  /** Full references, each once, sorted. */
  readonly images: readonly string[];
  /** What could not be read for images, and why: each the rest of a sentence about the file. */
  readonly unread: readonly string[];
}

/** The same of any file of the user's, in YAML or JSON: what is no such manifest names none. */
export function imagesInFile(text: string): NamedInFile {
  try {
    const objects = readYaml(oneByOne(text), { where: 'it', code: 'CONFIG_INVALID' }).filter(namesImages);
    const found = unique(objects.flatMap((object) => [...imagesOf(object)]));
    const [named, others] = [found.filter(referenceIn), found.filter((image) => referenceIn(image) === undefined)];
    return {
      images: unique(named.flatMap((image) => referenceIn(image) ?? [])),
      unread: others.map((image) => `names ${shown(image)}, which is no reference to an image`),
    };
  } catch (error) {
    if (isAirgapError(error, 'CONFIG_INVALID')) return { images: [], unread: [error.message.replace(/^it /, '')] };
    throw error;
  }
}

/** Files that were joined, each with a byte order mark: to YAML that is the start of another document. */
function oneByOne(text: string): string {
  return text.replace(/(?<=.)\uFEFF/gs, '\n---\n');
}

function shown(image: string): string {
  return JSON.stringify(image.slice(0, 200));
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

function fullReference(image: string, origin: Origin): string {
  const reference = referenceIn(image);
  if (reference !== undefined) return reference;
  throw invalid(origin, `names an image that is no reference: ${shown(image)}`);
}

function isObject(document: unknown): document is Table {
  return isTable(document) && ['apiVersion', 'kind'].every((key) => typeof valueOf(document, key) === 'string');
}

/** A kustomization may leave out what it is. */
function namesImages(document: unknown): document is Table {
  return isObject(document) || (isTable(document) && Array.isArray(valueOf(document, 'resources')));
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
  if (isTable(spec)) yield* eachIn(spec, 'relatedImages', (item) => textAt(item, 'image'));
  if (kind === undefined || kind === 'Kustomization') yield* eachIn(object, 'images', imageOfKustomization);
  yield* imagesBelow(object, '');
}

function* imagesBelow(value: unknown, key: string): Generator<string> {
  if (Array.isArray(value)) {
    for (const item of value) {
      if (isTable(item) && CONTAINERS.includes(key)) yield* textAt(item, 'image');
      if (isTable(item) && key === 'volumes') yield* textAt(item, 'image', 'reference');
      if (isTable(item) && key === 'env' && isRelatedImage(item)) yield* textAt(item, 'value');
      yield* imagesBelow(item, '');
    }
  } else if (isTable(value)) {
    for (const [name, member] of Object.entries(value)) yield* imagesBelow(member, name);
  }
}

/** Operators are told so which images to run (Operator Lifecycle Manager). */
function isRelatedImage(item: Table): boolean {
  const name = valueOf(item, 'name');
  return typeof name === 'string' && name.startsWith('RELATED_IMAGE_');
}

/** What takes the place of an image; without a tag or digest only whoever renders it can tell. */
function* imageOfKustomization(item: Table): Generator<string> {
  const [name, tag, digest] = [
    valueOf(item, 'newName') ?? valueOf(item, 'name'),
    valueOf(item, 'newTag'),
    valueOf(item, 'digest'),
  ];
  if (typeof name !== 'string') return;
  if (typeof digest === 'string') yield `${name}@${digest}`;
  else if (typeof tag === 'string' || typeof tag === 'number') yield `${name}:${tag}`;
  else yield `${name}:(the tag that it has there)`;
}

function* eachIn(table: Table, key: string, images: (item: Table) => Iterable<string>): Generator<string> {
  const items = valueOf(table, key);
  if (Array.isArray(items)) for (const item of items) if (isTable(item)) yield* images(item);
}

/** The text there, if it is one. */
function* textAt(table: Table, ...path: readonly string[]): Generator<string> {
  const found = valueAt(table, path);
  if (typeof found === 'string' && found !== '') yield found;
}
