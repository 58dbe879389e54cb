// Uploads: monolithic, chunked, mounted (distribution-spec, "pushing blobs").
import type { Digest } from '../../core/digest.ts';
import { isRepository } from '../../oci/reference.ts';
import { digestOfText, methodNotAllowed, writableOf, type Exchange } from './exchange.ts';
import { parseChunkRange } from './range.ts';
import { RegistryFailure, sendEmpty } from './reply.ts';
import type { WritableRepositoryStore } from './store.ts';

/** POST /blobs/uploads/ */
export async function startUpload(exchange: Exchange): Promise<void> {
  if (exchange.method !== 'POST') throw methodNotAllowed('POST');
  const repository = await writableOf(exchange);
  const mount = exchange.query.get('mount');
  const from = exchange.query.get('from');
  if (mount !== null) {
    const digest = digestOfText(mount);
    if (from !== null && isRepository(from) && (await repository.mount(digest, from))) {
      sendCreated(exchange, digest);
      return;
    }
  }
  const digest = exchange.query.get('digest');
  const wanted = digest === null ? undefined : digestOfText(digest);
  const id = await repository.startUpload();
  if (wanted === undefined) {
    sendProgress(exchange, { id, size: 0, status: 202 });
    return;
  }
  await repository.appendUpload(id, exchange.request);
  return finish(exchange, { repository, id, digest: wanted });
}

/** GET, PATCH, PUT and DELETE of /blobs/uploads/<id> */
export async function handleUpload(exchange: Exchange): Promise<void> {
  const repository = await writableOf(exchange);
  const id = exchange.reference;
  const size = await repository.uploadSize(id);
  if (size === undefined) throw new RegistryFailure('BLOB_UPLOAD_UNKNOWN', 'no such upload');
  switch (exchange.method) {
    case 'GET': {
      sendProgress(exchange, { id, size, status: 204 });
      return;
    }
    case 'PATCH':
      requireInOrder(exchange, id, size);
      {
        sendProgress(exchange, { id, size: await repository.appendUpload(id, exchange.request), status: 202 });
        return;
      }
    case 'PUT': {
      const digest = digestOfText(exchange.query.get('digest'));
      requireInOrder(exchange, id, size);
      await repository.appendUpload(id, exchange.request);
      return finish(exchange, { repository, id, digest });
    }
    case 'DELETE':
      await repository.cancelUpload(id);
      {
        sendEmpty(exchange.response, 204);
        return;
      }
    default:
      throw methodNotAllowed('GET, PATCH, PUT, DELETE');
  }
}

/** A chunk that does not follow what is there is refused with 416 and what is there. */
function requireInOrder(exchange: Exchange, id: string, size: number): void {
  const header = exchange.request.headers['content-range'];
  if (header === undefined) return;
  const range = parseChunkRange(header);
  const length = exchange.request.headers['content-length'];
  if (range?.start === size && (length === undefined || Number(length) === range.end - range.start)) return;
  throw new RegistryFailure('BLOB_UPLOAD_INVALID', `the next byte is ${size}`, {
    status: 416,
    headers: progressHeaders(exchange, id, size),
  });
}

async function finish(
  exchange: Exchange,
  upload: { repository: WritableRepositoryStore; id: string; digest: Digest },
): Promise<void> {
  if (!(await upload.repository.finishUpload(upload.id, upload.digest)))
    throw new RegistryFailure('DIGEST_INVALID', `what was uploaded is not ${upload.digest}`);
  sendCreated(exchange, upload.digest);
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
