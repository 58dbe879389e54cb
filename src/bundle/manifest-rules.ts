// What a bundle.json must say beyond the shape of its values (docs/bundle-format.md): the order of its lists, each thing
// once, and everything that it names among its entries.
import { digestOf, type Digest } from '../core/digest.ts';
import { LOCK_FILE, OWN_FILES } from './own-files.ts';

interface Node {
  readonly digest: Digest;
  readonly size: number;
}

interface RuledImage extends Node {
  readonly name: string;
  readonly original?: Node;
  readonly platforms: readonly string[];
  readonly accompanying: readonly Node[];
}

export interface RuledManifest {
  readonly lock: Digest;
  readonly entries: readonly (Node & { readonly path: string })[];
  readonly images: readonly RuledImage[];
  readonly files: readonly (Node & { readonly name: string })[];
  readonly installers: readonly { readonly name: string }[];
}

/** What every bundle begins with, before its blobs. */
const FIRST_PATHS = ['chunks', 'oci-layout', 'index.json'];

/** An empty body has no chunk that would tell it from another. */
const EMPTY_DIGEST = digestOf(Buffer.alloc(0));

export function blobPath(digest: Digest): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

/** The first rule that does not hold, in words; undefined when all do. */
export function brokenRule(manifest: RuledManifest): string | undefined {
  return brokenEntries(manifest) ?? brokenOrder(manifest) ?? brokenLock(manifest) ?? absentNode(manifest);
}

/** Entries come in their one order, each once, and blobs are named by their digest. */
function brokenEntries({ entries }: RuledManifest): string | undefined {
  if (FIRST_PATHS.some((path, i) => entries[i]?.path !== path))
    return `entries do not begin with ${FIRST_PATHS.join(', ')}`;
  let previous = '';
  for (const { path, digest, size } of entries.slice(FIRST_PATHS.length)) {
    if (path !== blobPath(digest) || path <= previous)
      return `entry ${path} is out of order or not named by its digest`;
    if (size === 0 && digest !== EMPTY_DIGEST) return `entry ${path} is empty, which its digest is not of`;
    previous = path;
  }
  return undefined;
}

function brokenOrder({ images, files, installers }: RuledManifest): string | undefined {
  return (
    disorder('images', images.map(nameOf)) ??
    disorder('files', files.map(fileRank)) ??
    disorder('installers', installers.map(nameOf)) ??
    disorderIn(images)
  );
}

/** The bundle's own come first, in their own order. */
function fileRank({ name }: { readonly name: string }): string {
  const own = OWN_FILES.indexOf(name);
  return own < 0 ? `${OWN_FILES.length} ${name}` : String(own);
}

function disorderIn(images: readonly RuledImage[]): string | undefined {
  for (const { name, platforms, accompanying } of images) {
    const digests = accompanying.map(({ digest }) => digest);
    const found = disorder(`platforms of ${name}`, platforms) ?? disorder(`accompanying of ${name}`, digests);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Ascending, so that nothing is there twice. */
function disorder(what: string, keys: readonly string[]): string | undefined {
  const at = keys.findIndex((key, i) => i > 0 && key <= (keys[i - 1] ?? ''));
  return at < 0 ? undefined : `${what}: number ${at + 1} is out of order, or there twice`;
}

function brokenLock({ lock, files: [first] }: RuledManifest): string | undefined {
  return first?.name === LOCK_FILE && first.digest === lock ? undefined : 'files do not begin with the lock';
}

/** Something that is named and that no entry has, in the size that is named. */
function absentNode({ entries, images, files }: RuledManifest): string | undefined {
  const sizes = new Map<Digest, number>(entries.slice(FIRST_PATHS.length).map(({ digest, size }) => [digest, size]));
  const isAbsent = ({ digest, size }: Node): boolean => sizes.get(digest) !== size;
  for (const image of images) {
    const nodes = [image, ...(image.original === undefined ? [] : [image.original]), ...image.accompanying];
    const absent = nodes.find(isAbsent);
    if (absent) return `image ${image.name}: ${absent.digest} is not among the entries in its size`;
  }
  const absent = files.find(isAbsent);
  return absent && `file ${absent.name} is not among the entries in its size`;
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}
