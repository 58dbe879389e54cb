// Which names each image of a bundle gets in the enclave's registry. ECK looks for images by path below its
// container-registry (`elasticsearch/elasticsearch`), or by last component below its container-repository. `load` pushes
// under these names, `serve` answers to them, and the closure proof looks for images under them.
import { AirgapError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import { isRepository, parseReference } from '../oci/reference.ts';
import { ignoresContainerRepository } from './image-name.ts';

export interface NamingOptions {
  /** Path below the registry's host; empty for none. */
  readonly prefix: string;
  /** Put every image below this one path, with the last component of its repository only. */
  readonly flatten?: string | undefined;
}

/**
 * The repositories (without host) for an image's full original name. A flattened package registry is at its own path as
 * well, since ECK looks for it there whatever container-repository says.
 * @throws REFERENCE_INVALID when one is no repository name
 */
export function targetRepositories(name: string, options: NamingOptions): string[] {
  const { repository } = parseReference(name);
  if (options.flatten === undefined) return [below(repository, name, options)];
  const flat = `${options.flatten}/${repository.slice(repository.lastIndexOf('/') + 1)}`;
  const paths = ignoresContainerRepository(repository) ? [flat, repository] : [flat];
  return [...new Set(paths)].map((path) => below(path, name, options));
}

function below(path: string, name: string, { prefix }: NamingOptions): string {
  const target = prefix === '' ? path : `${prefix}/${path}`;
  if (isRepository(target)) return target;
  throw new AirgapError(
    'REFERENCE_INVALID',
    `${name} would get a name that no registry takes: ${JSON.stringify(target.slice(0, 300))}`,
    {
      hint: 'A repository has at most 255 characters of a-z, 0-9, ".", "_", "-", "/". Choose another prefix or --flatten name.',
    },
  );
}

export interface NamedImage {
  readonly name: string;
  readonly digest: Digest;
  /** A chart, for example: nothing that ECK looks for, so it keeps its path when images are flattened. */
  readonly artifact?: true;
}

export interface TargetName<T extends NamedImage> {
  readonly image: T;
  readonly repository: string;
  readonly tag: string;
}

/** Two different images of one name: the second cannot be where the first is. */
export interface Collision<T extends NamedImage> {
  /** `repository:tag` */
  readonly target: string;
  readonly images: readonly [T, T];
}

export interface Naming<T extends NamedImage> {
  /** In the images' order; an image can have several. Two of one name and one digest are one image. */
  readonly names: readonly TargetName<T>[];
  readonly collisions: readonly Collision<T>[];
}

/** @throws REFERENCE_INVALID */
export function nameImages<T extends NamedImage>(images: readonly T[], options: NamingOptions): Naming<T> {
  const taken = new Map<string, T>();
  const names: TargetName<T>[] = [];
  const collisions: Collision<T>[] = [];
  for (const image of images) {
    const tag = parseReference(image.name).tag ?? 'latest';
    const { flatten, ...kept } = options;
    for (const repository of targetRepositories(image.name, image.artifact === true ? kept : { ...kept, flatten })) {
      const target = `${repository}:${tag}`;
      const other = taken.get(target);
      if (other !== undefined && other.digest !== image.digest) collisions.push({ target, images: [other, image] });
      else taken.set(target, image);
      names.push({ image, repository, tag });
    }
  }
  return { names, collisions };
}

/**
 * The targets of every image, in the images' order.
 * @throws NAME_COLLISION when two different images would get one name, before anything is pushed
 */
export function targetNames<T extends NamedImage>(images: readonly T[], options: NamingOptions): TargetName<T>[] {
  const { names, collisions } = nameImages(images, options);
  const [collision] = collisions;
  if (collision === undefined) return [...names];
  const { target, images: both } = collision;
  throw new AirgapError('NAME_COLLISION', describeCollision(collision), {
    hint: collisionRemedy(options),
    details: { target, images: both.map(({ name, digest }) => ({ name, digest })) },
  });
}

export function describeCollision({ target, images: [one, other] }: Collision<NamedImage>): string {
  return `${one.name} and ${other.name} are different images and would both be named ${target}`;
}

/** The way out, as a sentence. */
export function collisionRemedy({ flatten }: Pick<NamingOptions, 'flatten'>): string {
  return flatten === undefined
    ? 'Load them under different prefixes, or take one of them out of the bundle.'
    : 'Load without --flatten, or take one of them out of the bundle.';
}
