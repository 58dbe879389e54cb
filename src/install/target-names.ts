// Which name each image of a bundle gets in the enclave's registry. ECK looks for images by path below its
// container-registry (`elasticsearch/elasticsearch`), or by last component below its container-repository.
import { AirgapError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import { isRegistryHost, isRepository, parseReference } from '../oci/reference.ts';

export interface RegistryAddress {
  /** Host and port. */
  readonly host: string;
  /** Path below it, without slashes at its ends; empty for none. */
  readonly prefix: string;
}

/** `HOST[:PORT][/PREFIX]`. @throws REFERENCE_INVALID */
export function parseRegistryAddress(text: string): RegistryAddress {
  const scheme = /^[a-z]+:\/\//.exec(text)?.[0];
  const [host = '', ...path] = text.split('/');
  const prefix = path.join('/').replace(/\/$/, '');
  if (scheme === undefined && isRegistryHost(host) && (prefix === '' || isRepository(prefix))) return { host, prefix };
  throw new AirgapError('REFERENCE_INVALID', `not a registry address: ${JSON.stringify(text.slice(0, 200))}`, {
    hint:
      scheme === undefined
        ? 'Write HOST[:PORT][/PREFIX], the prefix in lower case: registry.example:5000/mirror.'
        : `Leave ${scheme} out; plain HTTP beyond loopback is asked for with --plain-http.`,
  });
}

export interface NamingOptions {
  readonly prefix: string;
  /** Put every image below this one path, with the last component of its repository only. */
  readonly flatten?: string | undefined;
}

/** The repository (without host) for an image's full original name. @throws REFERENCE_INVALID when it is no repository name */
export function targetRepository(name: string, options: NamingOptions): string {
  const { repository } = parseReference(name);
  const own =
    options.flatten === undefined
      ? repository
      : `${options.flatten}/${repository.slice(repository.lastIndexOf('/') + 1)}`;
  const target = options.prefix === '' ? own : `${options.prefix}/${own}`;
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
}

export interface TargetName<T extends NamedImage> {
  readonly image: T;
  readonly repository: string;
  readonly tag: string;
}

/**
 * The target of every image, in the images' order. Two of one name and one digest are one image.
 * @throws NAME_COLLISION when two different images would get one name, before anything is pushed
 */
export function targetNames<T extends NamedImage>(images: readonly T[], options: NamingOptions): TargetName<T>[] {
  const taken = new Map<string, TargetName<T>>();
  const names: TargetName<T>[] = [];
  for (const image of images) {
    const target = {
      image,
      repository: targetRepository(image.name, options),
      tag: parseReference(image.name).tag ?? 'latest',
    };
    const key = `${target.repository}:${target.tag}`;
    const other = taken.get(key);
    if (other === undefined) taken.set(key, target);
    else if (other.image.digest !== image.digest) {
      throw new AirgapError(
        'NAME_COLLISION',
        `${other.image.name} and ${image.name} are different images and would both be named ${key}`,
        {
          hint:
            options.flatten === undefined
              ? 'Load them under different prefixes, or take one of them out of the bundle.'
              : 'Load without --flatten, or take one of them out of the bundle.',
          details: { target: key, images: [other.image, image].map(({ name, digest }) => ({ name, digest })) },
        },
      );
    }
    names.push(target);
  }
  return names;
}
