// Manifests of one repository (distribution-spec, "Pulling manifests", "Pushing manifests"). Their bytes are verified as
// they come, and the last few are kept, since what is resolved is nearly always fetched next.
import { digestOf, isDigest, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { MANIFEST_LIMIT } from '../oci/content.ts';
import { digestMismatch, type Descriptor } from '../oci/descriptor.ts';
import { isManifestType, MANIFEST_TYPES } from '../oci/media-types.ts';
import { discard, headerOf, type Answer } from './answer.ts';
import { digestAnswered, namedDigest } from './digest-header.ts';
import { isNotThere, isUndecided } from './http-error.ts';
import { repositoryScope, type Access } from './scope.ts';
import { bytesBody } from './token.ts';
import type { Call, Transport } from './transport.ts';
import { showUrl } from './url-policy.ts';

export interface ManifestContext {
  readonly transport: Transport;
  /** Repository, as the registry knows it. */
  readonly name: string;
  readonly access: Access;
}

/** What tokens for reading must allow. */
export function readScopes({ name, access }: Pick<ManifestContext, 'name' | 'access'>): readonly string[] {
  return [repositoryScope(name, access)];
}

export interface ReceivedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

const ACCEPT = MANIFEST_TYPES.join(', ');
const SCHEMA1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/;

/** Fetches what a tag or digest names. @throws CONTENT_MISSING, DIGEST_MISMATCH, MANIFEST_INVALID, REGISTRY_PROTOCOL */
export async function getManifest(
  context: ManifestContext,
  reference: string,
  signal?: AbortSignal,
): Promise<ReceivedManifest> {
  const { answer, bytes } = await context.transport.read(
    manifestCall(context, { method: 'GET', reference, signal }),
    MANIFEST_LIMIT,
  );
  const mediaType = manifestType(answer);
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  const where = showUrl(answer.url);
  if (isDigest(reference) && descriptor.digest !== reference) {
    throw digestMismatch({ digest: reference, size: bytes.byteLength }, descriptor, where);
  }
  digestAnswered(answer, descriptor.digest);
  return { descriptor, bytes };
}

/** The request that reads a manifest by tag or digest. */
export function manifestCall(
  context: ManifestContext,
  what: { method: Call['method']; reference: string; signal?: AbortSignal | undefined },
): Call {
  const { method, reference, signal } = what;
  const target = `${context.name}/manifests/${reference}`;
  return {
    method,
    target,
    scopes: readScopes(context),
    headers: { accept: ACCEPT },
    elsewhere: true,
    signal,
  };
}

/** Stores a manifest under its digest or a tag. True when the registry itself lists it with its subject. */
export async function putManifest(
  context: ManifestContext,
  manifest: ReceivedManifest,
  options: { reference: string; signal?: AbortSignal | undefined },
): Promise<{ subject: boolean }> {
  const { reference, signal } = options;
  const { mediaType, digest } = manifest.descriptor;
  const target = `${context.name}/manifests/${reference}`;
  const scopes = [repositoryScope(context.name, 'push')];
  const headers = { 'content-type': mediaType };
  const answer = await context.transport.send(
    { method: 'PUT', target, scopes, headers, body: bytesBody(manifest.bytes), signal },
    [201, 202, 204, 200],
  );
  discard(answer);
  digestAnswered(answer, digest);
  if (answer.status !== 201 && (await currentDigest({ ...context, access: 'push' }, reference, signal)) !== digest) {
    const message = `${showUrl(answer.url)}: the registry sent ${answer.status} for a manifest, and does not have it`;
    throw new AirgapError('REGISTRY_PROTOCOL', message);
  }
  return { subject: headerOf(answer, 'oci-subject') !== undefined };
}

/** The digest that the registry says a reference names; undefined when there is none. One that it does not name is computed. */
export async function currentDigest(
  context: ManifestContext,
  reference: string,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  try {
    const answer = await context.transport.send(manifestCall(context, { method: 'HEAD', reference, signal }), [200]);
    discard(answer);
    const digest = namedDigest(answer);
    if (digest !== undefined) return digest;
  } catch (error) {
    if (isNotThere(error)) return undefined;
    if (!isUndecided(error)) throw error;
  }
  try {
    return (await getManifest(context, reference, signal)).descriptor.digest;
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

/** The media type of a manifest's answer. @throws MANIFEST_INVALID for schema 1, REGISTRY_PROTOCOL for what is no manifest */
function manifestType(answer: Answer): string {
  const header = headerOf(answer, 'content-type') ?? '';
  const mediaType = (header.split(';')[0] ?? '').trim().toLowerCase();
  if (isManifestType(mediaType)) return mediaType;
  const where = showUrl(answer.url);
  if (SCHEMA1.test(mediaType)) {
    throw new AirgapError(
      'MANIFEST_INVALID',
      `${where} is in Docker's schema 1, which has been out of use since 2017`,
      {
        hint: 'Ask the publisher for the image in a current format, or push it again with a current tool.',
      },
    );
  }
  throw new AirgapError(
    'REGISTRY_PROTOCOL',
    `${where} answered ${JSON.stringify(mediaType.slice(0, 100))} where a manifest was asked for`,
    {
      hint: 'Check that host and port are those of a registry, and that no proxy answers in its place.',
    },
  );
}

const KEEP_COUNT = 64;
const KEEP_SIZE = 4 * 1024 * 1024;

/** The manifests read or written last, at most 4 MiB of them. */
export class RecentManifests {
  readonly #kept = new Map<Digest, ReceivedManifest>();
  #size = 0;

  get(digest: Digest): ReceivedManifest | undefined {
    return this.#kept.get(digest);
  }

  add(manifest: ReceivedManifest): void {
    if (this.#kept.has(manifest.descriptor.digest)) return;
    this.#kept.set(manifest.descriptor.digest, manifest);
    this.#size += manifest.bytes.byteLength;
    for (const [digest, { bytes }] of this.#kept) {
      if (this.#kept.size <= KEEP_COUNT && this.#size <= KEEP_SIZE) return;
      this.#kept.delete(digest);
      this.#size -= bytes.byteLength;
    }
  }
}
