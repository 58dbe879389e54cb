// Manifests by tag and digest (distribution-spec, "pulling manifests", "pushing manifests", "content management").
import { digestOf, isDigest, type Digest } from '../../core/digest.ts';
import { isAirgapError } from '../../core/errors.ts';
import { collect } from '../../core/streams.ts';
import { MANIFEST_LIMIT } from '../../oci/content.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isNode, parseManifest, successors, type Index, type Manifest } from '../../oci/manifest.ts';
import { isForeignLayerType } from '../../oci/media-types.ts';
import { isTag } from '../../oci/reference.ts';
import { bodyOf, sendContent } from './body.ts';
import { digestOfText, methodNotAllowed, repositoryOf, writableOf, type Exchange } from './exchange.ts';
import { RegistryFailure, sendEmpty } from './reply.ts';
import type { RepositoryStore } from './store.ts';

export async function handleManifest(exchange: Exchange): Promise<void> {
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      return sendManifest(exchange);
    case 'PUT':
      return putManifest(exchange);
    case 'DELETE':
      return deleteManifest(exchange);
    default:
      throw methodNotAllowed('GET, HEAD, PUT, DELETE');
  }
}

async function sendManifest(exchange: Exchange): Promise<void> {
  const reference = referenceOf(exchange, unknown(exchange));
  const repository = await repositoryOf(exchange);
  const found = await repository.manifest(reference);
  if (!found) throw unknown(exchange);
  exchange.response.writeHead(200, {
    'content-type': found.mediaType,
    'content-length': String(found.size),
    'docker-content-digest': found.digest,
  });
  if (exchange.method === 'HEAD') exchange.response.end();
  else await sendContent(exchange, { repository, digest: found.digest, start: 0, end: found.size });
}

async function putManifest(exchange: Exchange): Promise<void> {
  const { request, response, name } = exchange;
  const repository = await writableOf(exchange);
  const reference = referenceOf(exchange, new RegistryFailure('MANIFEST_INVALID', 'not a tag'));
  const bytes = await readBody(exchange);
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const digest = digestOf(bytes);
  if (isDigest(reference) && reference !== digest)
    throw new RegistryFailure('DIGEST_INVALID', `the manifest has the digest ${digest}`);
  const manifest = parse(bytes, mediaType);
  for (const child of successors(manifest)) await requireChild(repository, manifest, child);
  const descriptor = { mediaType, digest, size: bytes.byteLength };
  await repository.putManifest(descriptor, bytes, isDigest(reference) ? undefined : reference);
  sendEmpty(response, 201, {
    location: `/v2/${name}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(manifest.subject === undefined ? {} : { 'oci-subject': manifest.subject.digest }),
  });
}

async function readBody(exchange: Exchange): Promise<Buffer> {
  const tooLarge = (): RegistryFailure =>
    new RegistryFailure('MANIFEST_INVALID', `a manifest has at most ${MANIFEST_LIMIT} bytes`, { status: 413 });
  if (Number(exchange.request.headers['content-length'] ?? 0) > MANIFEST_LIMIT) throw tooLarge();
  return collect(bodyOf(exchange), MANIFEST_LIMIT, tooLarge);
}

function parse(bytes: Uint8Array, mediaType: string): Manifest | Index {
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (isAirgapError(error)) throw new RegistryFailure('MANIFEST_INVALID', error.message);
    throw error;
  }
}

/** What a manifest points to must be there, an index's manifests as manifests; foreign layers, and the subject, may be elsewhere. */
async function requireChild(repository: RepositoryStore, parent: Manifest | Index, child: Descriptor): Promise<void> {
  if (isForeignLayerType(child.mediaType)) return;
  if (isNode(child) && (await repository.manifest(child.digest)) !== undefined) return;
  const mayBeBlob = parent.kind === 'manifest' || !isNode(child);
  if (mayBeBlob && (await repository.blobSize(child.digest)) !== undefined) return;
  throw new RegistryFailure('MANIFEST_BLOB_UNKNOWN', `${child.digest} is not in this repository`, {
    detail: { digest: child.digest },
  });
}

async function deleteManifest(exchange: Exchange): Promise<void> {
  const repository = await writableOf(exchange);
  const reference = referenceOf(exchange, unknown(exchange));
  const deleted = isDigest(reference)
    ? await repository.deleteManifest(reference)
    : await repository.deleteTag(reference);
  if (!deleted) throw unknown(exchange);
  sendEmpty(exchange.response, 202);
}

/** @throws DIGEST_INVALID for what looks like a digest and is none, and `noTag` for what cannot be a tag */
function referenceOf({ reference }: Exchange, noTag: RegistryFailure): Digest | string {
  if (reference.includes(':')) return digestOfText(reference);
  if (isTag(reference)) return reference;
  throw noTag;
}

function unknown(exchange: Exchange): RegistryFailure {
  return new RegistryFailure('MANIFEST_UNKNOWN', `${exchange.name} has no such manifest`);
}
