// References to images: [host[:port]/]repository[:tag][@digest], with Docker's short names (distribution/reference
// grammar; OCI distribution-spec, "pulling manifests").
import { isDigest, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { withoutUrlSecrets } from '../core/url-text.ts';

export interface Reference {
  /** Host and port, normalised: `docker.io` for short names. */
  readonly registry: string;
  /** Path without the host: `library/nginx` for `nginx`. */
  readonly repository: string;
  /** `latest` when neither tag nor digest is written; absent when only a digest is. */
  readonly tag?: string;
  readonly digest?: Digest;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?$`);

/** The id of an image, which the grammar refuses as a name. */
const IMAGE_ID = /^[0-9a-f]{64}$/;

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function isRepository(text: string): boolean {
  return text.length <= 255 && REPOSITORY.test(text);
}

export function isRegistryHost(text: string): boolean {
  return text.length <= 261 && HOST.test(text) && Number(/:([0-9]+)$/.exec(text)?.[1] ?? 0) <= 65535;
}

/** A host as one spelling: lower case, and Docker Hub's three names as `docker.io`. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return lower === 'index.docker.io' || lower === 'registry-1.docker.io' ? 'docker.io' : lower;
}

/** The same, for a host in a name of an image: a plain word is a host there by its upper case alone, and keeps it. */
export function nameHost(host: string): string {
  const canonical = canonicalHost(host);
  return /[.:[]/.test(canonical) || canonical === 'localhost' ? canonical : host;
}

/** What the names of images can begin with, by whole components: host[:port][/path]. */
export function isNamePrefix(text: string): boolean {
  const [host = '', ...path] = text.split('/');
  return isRegistryHost(host) && (path.length === 0 || isRepository(path.join('/')));
}

/** Parses what a person writes. @throws REFERENCE_INVALID with the part that is wrong. */
export function parseReference(text: string): Reference {
  if (text.length > 4096) throw invalid(text, 'it is too long');
  const [beforeDigest = '', digest, ...more] = text.split('@');
  if (more.length > 0) throw invalid(text, 'it has more than one "@"');
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'what follows "@" is not a sha256 digest');
  const { name, tag } = splitTag(beforeDigest);
  if (IMAGE_ID.test(name)) throw invalid(text, 'it is the id of an image; write its name, and @sha256: before the id');
  if (tag !== undefined && !isTag(tag)) throw invalid(text, `${JSON.stringify(tag)} is not a tag`);
  const { registry, repository } = splitHost(name);
  if (!isRegistryHost(registry)) throw invalid(text, `${JSON.stringify(registry)} is not a registry host`);
  if (!isRepository(repository)) {
    throw invalid(
      text,
      /[A-Z]/.test(repository)
        ? 'a repository is written in lower case'
        : `${JSON.stringify(repository)} is not a repository`,
    );
  }
  return {
    registry,
    repository,
    ...(tag !== undefined ? { tag } : digest === undefined ? { tag: 'latest' } : {}),
    ...(digest !== undefined ? { digest } : {}),
  };
}

/** The full form, which parses to the same reference. */
export function formatReference(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** What to ask the repository for: the digest where there is one, else the tag. */
export function referencePart(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

function splitTag(text: string): { name: string; tag: string | undefined } {
  const colon = text.lastIndexOf(':');
  return colon > text.lastIndexOf('/')
    ? { name: text.slice(0, colon), tag: text.slice(colon + 1) }
    : { name: text, tag: undefined };
}

function splitHost(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = /[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const registry = isHost ? nameHost(first) : 'docker.io';
  const repository = isHost ? name.slice(slash + 1) : name;
  if (registry !== 'docker.io') return { registry, repository };
  return { registry, repository: repository.includes('/') ? repository : `library/${repository}` };
}

function invalid(text: string, why: string): AirgapError {
  return new AirgapError(
    'REFERENCE_INVALID',
    `not an image reference: ${JSON.stringify(withoutUrlSecrets(text).slice(0, 200))}: ${why}`,
    {
      hint: 'Write registry/repository:tag, for example docker.elastic.co/kibana/kibana:9.5.2.',
    },
  );
}
