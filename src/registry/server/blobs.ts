// GET, HEAD and DELETE of blobs (distribution-spec, "pulling blobs").
import type { Digest } from '../../core/digest.ts';
import { sendContent } from './body.ts';
import { digestOfText, methodNotAllowed, repositoryOf, writableOf, type Exchange } from './exchange.ts';
import { parseRange } from './range.ts';
import { RegistryFailure, sendEmpty } from './reply.ts';

export async function handleBlob(exchange: Exchange): Promise<void> {
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      return sendBlob(exchange, digestOfText(exchange.reference));
    case 'DELETE':
      return deleteBlob(exchange, digestOfText(exchange.reference));
    default:
      throw methodNotAllowed('GET, HEAD, DELETE');
  }
}

async function sendBlob(exchange: Exchange, digest: Digest): Promise<void> {
  const { request, response, method } = exchange;
  const repository = await repositoryOf(exchange);
  const size = await repository.blobSize(digest);
  if (size === undefined) throw unknown(exchange);
  const range = method === 'GET' ? parseRange(request.headers.range, size) : undefined;
  if (range === 'unsatisfiable') throw beyondTheEnd(size);
  const { start, end } = range ?? { start: 0, end: size };
  response.writeHead(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': String(end - start),
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    ...(range ? { 'content-range': `bytes ${start}-${end - 1}/${size}` } : {}),
  });
  if (method === 'HEAD' || start === end) response.end();
  else await sendContent(exchange, { repository, digest, start, end });
}

async function deleteBlob(exchange: Exchange, digest: Digest): Promise<void> {
  const repository = await writableOf(exchange);
  if (!(await repository.deleteBlob(digest))) throw unknown(exchange);
  sendEmpty(exchange.response, 202);
}

function beyondTheEnd(size: number): RegistryFailure {
  return new RegistryFailure('SIZE_INVALID', `the blob has ${size} bytes`, {
    status: 416,
    headers: { 'content-range': `bytes */${size}` },
  });
}

function unknown(exchange: Exchange): RegistryFailure {
  return new RegistryFailure('BLOB_UNKNOWN', `${exchange.name} has no blob ${exchange.reference}`);
}
