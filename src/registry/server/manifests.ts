// Manifests by tag and digest (distribution-spec, "pulling manifests", "pushing manifests", "content management").
import { pipeline } from 'node:stream/promises';
import { digestOf, isDigest } from '../../core/digest.ts';
import { isAirgapError } from '../../core/errors.ts';
import { collect } from '../../core/streams.ts';
import { MANIFEST_LIMIT } from '../../oci/content.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isNode, parseManifest, successors, type Index, type Manifest } from '../../oci/manifest.ts';
import { isForeignLayerType } from '../../oci/media-types.ts';
import { isTag } from '../../oci/reference.ts';
import { digestOfText, methodNotAllowed, repositoryOf, writableOf, type Exchange } from './exchange.ts';
import { RegistryFailure, sendEmpty } from './reply.ts';
import type { RepositoryStore } from './store.ts';

export async function handleManifest(exchange: Exchange): Promise<void> {
  if (!isTag(exchange.reference)) digestOfText(exchange.reference);
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
  const repository = await repositoryOf(exchange);
  const found = await repository.manifest(exchange.reference);
  if (!found) throw unknown(exchange);
  exchange.response.writeHead(200, {
    'content-type': found.mediaType,
    'content-length': String(found.size),
    'docker-content-digest': found.digest,
  });
  if (exchange.method === 'HEAD') exchange.response.end();
  else await pipeline(repository.open(found.digest), exchange.response);
}

async function putManifest(exchange: Exchange): Promise<void> {
  const { request, response, reference, name } = exchange;
  const repository = await writableOf(exchange);
  const bytes = await collect(
    request,
    MANIFEST_LIMIT,
    () => new RegistryFailure('MANIFEST_INVALID', `a manifest has at most ${MANIFEST_LIMIT} bytes`, { status: 413 }),
  );
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const digest = digestOf(bytes);
  if (isDigest(reference) && reference !== digest)
    throw new RegistryFailure('DIGEST_INVALID', `the manifest has the digest ${digest}`);
  const manifest = parse(bytes, mediaType);
  for (const child of successors(manifest)) await requireChild(repository, child);
  await repository.putManifest(
    { mediaType, digest, size: bytes.byteLength },
    bytes,
    isDigest(reference) ? undefined : reference,
  );
  sendEmpty(response, 201, {
    location: `/v2/${name}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(manifest.subject === undefined ? {} : { 'oci-subject': manifest.subject.digest }),
  });
}

function parse(bytes: Uint8Array, mediaType: string): Manifest | Index {
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (isAirgapError(error)) throw new RegistryFailure('MANIFEST_INVALID', error.message);
    throw error;
  }
}

/** What a manifest points to must be there; foreign layers, and the subject, may be elsewhere. */
async function requireChild(repository: RepositoryStore, child: Descriptor): Promise<void> {
  const there = isNode(child)
    ? (await repository.manifest(child.digest)) !== undefined
    : isForeignLayerType(child.mediaType) || (await repository.blobSize(child.digest)) !== undefined;
  if (!there) throw new RegistryFailure('MANIFEST_BLOB_UNKNOWN', `${child.digest} is not in this repository`);
}

async function deleteManifest(exchange: Exchange): Promise<void> {
  const repository = await writableOf(exchange);
  const { reference } = exchange;
  const deleted = isDigest(reference)
    ? await repository.deleteManifest(reference)
    : await repository.deleteTag(reference);
  if (!deleted) throw unknown(exchange);
  sendEmpty(exchange.response, 202);
}

function unknown(exchange: Exchange): RegistryFailure {
  return new RegistryFailure('MANIFEST_UNKNOWN', `${exchange.name} has no manifest ${exchange.reference}`);
}
