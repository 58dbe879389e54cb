// Uploads: monolithic, chunked, mounted (distribution-spec, "pushing blobs").
import type { Digest } from '../../core/digest.ts';
import type { ByteStream } from '../../core/streams.ts';
import { isRepository } from '../../oci/reference.ts';
import { bodyOf, chunkOf } from './body.ts';
import { digestOfText, methodNotAllowed, writableOf, type Exchange } from './exchange.ts';
import { parseChunkRange } from './range.ts';
import { RegistryFailure, sendEmpty } from './reply.ts';
import type { WritableRepositoryStore } from './store.ts';

/** POST /blobs/uploads/ */
export async function startUpload(exchange: Exchange): Promise<void> {
  if (exchange.method !== 'POST') throw methodNotAllowed('POST');
  const repository = await writableOf(exchange);
  const mounted = await mount(exchange, repository);
  if (mounted !== undefined) {
    sendCreated(exchange, mounted);
    return;
  }
  const digest = exchange.query.get('digest');
  if (digest !== null) return uploadAtOnce(exchange, repository, digestOfText(digest));
  sendProgress(exchange, { id: await repository.startUpload(), size: 0, status: 202 });
}

/** GET, PATCH, PUT and DELETE of /blobs/uploads/<id> */
export async function handleUpload(exchange: Exchange): Promise<void> {
  const repository = await writableOf(exchange);
  const id = exchange.reference;
  const inTurn = (write: () => Promise<void>): Promise<void> => exchange.turns(id, exchange.request, write);
  switch (exchange.method) {
    case 'GET':
      sendProgress(exchange, { id, size: await sizeOf(repository, id), status: 204 });
      return;
    case 'PATCH':
      return inTurn(async () => {
        const size = await repository.appendUpload(id, await nextBytes(exchange, repository));
        sendProgress(exchange, { id, size, status: 202 });
      });
    case 'PUT': {
      const digest = digestOfText(exchange.query.get('digest'));
      return inTurn(async () => {
        await repository.appendUpload(id, await nextBytes(exchange, repository));
        await finish(exchange, repository, { id, digest });
      });
    }
    case 'DELETE':
      return inTurn(async () => {
        await sizeOf(repository, id);
        await repository.cancelUpload(id);
        sendEmpty(exchange.response, 204);
      });
    default:
      throw methodNotAllowed('GET, PATCH, PUT, DELETE');
  }
}

/** The digest that was mounted. A blob that the other repository does not have is uploaded instead, as the spec wants. */
async function mount({ query }: Exchange, repository: WritableRepositoryStore): Promise<Digest | undefined> {
  const wanted = query.get('mount');
  const from = query.get('from');
  if (wanted === null) return undefined;
  const digest = digestOfText(wanted);
  return from !== null && isRepository(from) && (await repository.mount(digest, from)) ? digest : undefined;
}

/** Nobody knows the id of an upload in one request, so what comes of one that fails is not kept. */
async function uploadAtOnce(exchange: Exchange, repository: WritableRepositoryStore, digest: Digest): Promise<void> {
  const id = await repository.startUpload();
  try {
    await repository.appendUpload(id, bodyOf(exchange));
  } catch (error) {
    await repository.cancelUpload(id);
    throw error;
  }
  await finish(exchange, repository, { id, digest });
}

async function sizeOf(repository: WritableRepositoryStore, id: string): Promise<number> {
  const size = await repository.uploadSize(id);
  if (size === undefined) throw new RegistryFailure('BLOB_UPLOAD_UNKNOWN', 'no such upload');
  return size;
}

/** The body. A chunk that does not follow what is there is refused with 416 and what is there. */
async function nextBytes(exchange: Exchange, repository: WritableRepositoryStore): Promise<ByteStream> {
  const size = await sizeOf(repository, exchange.reference);
  const header = exchange.request.headers['content-range'];
  if (header === undefined) return bodyOf(exchange);
  const range = parseChunkRange(header);
  const length = exchange.request.headers['content-length'];
  if (range?.start === size && (length === undefined || Number(length) === range.end - range.start))
    return chunkOf(bodyOf(exchange), range.end - range.start);
  throw new RegistryFailure('BLOB_UPLOAD_INVALID', `the next byte is ${size}`, {
    status: 416,
    headers: progressHeaders(exchange, exchange.reference, size),
  });
}

async function finish(
  exchange: Exchange,
  repository: WritableRepositoryStore,
  { id, digest }: { id: string; digest: Digest },
): Promise<void> {
  // hashing and syncing a large blob takes longer than a silent connection is allowed
  exchange.request.socket.setTimeout(0);
  if (!(await repository.finishUpload(id, digest)))
    throw new RegistryFailure('DIGEST_INVALID', `what was uploaded is not ${digest}`);
  sendCreated(exchange, digest);
}

function sendCreated(exchange: Exchange, digest: Digest): void {
  sendEmpty(exchange.response, 201, {
    location: `/v2/${exchange.name}/blobs/${digest}`,
    'docker-content-digest': digest,
  });
}

function sendProgress(exchange: Exchange, { id, size, status }: { id: string; size: number; status: number }): void {
  sendEmpty(exchange.response, status, progressHeaders(exchange, id, size));
}

function progressHeaders(exchange: Exchange, id: string, size: number): Record<string, string> {
  // nothing received is written 0-0, as every registry does
  return {
    location: `/v2/${exchange.name}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    'docker-upload-uuid': id,
  };
}
