// GET, HEAD and DELETE of blobs (distribution-spec, "pulling blobs").
import { pipeline } from 'node:stream/promises';
import { digestOfText, methodNotAllowed, repositoryOf, writableOf, type Exchange } from './exchange.ts';
import { parseRange } from './range.ts';
import { RegistryFailure, sendEmpty } from './reply.ts';

export async function handleBlob(exchange: Exchange): Promise<void> {
  const digest = digestOfText(exchange.reference);
  if (exchange.method === 'DELETE') {
    if (!(await (await writableOf(exchange)).deleteBlob(digest))) throw unknown(exchange);
    sendEmpty(exchange.response, 202);
    return;
  }
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed('GET, HEAD, DELETE');
  const repository = await repositoryOf(exchange);
  const size = await repository.blobSize(digest);
  if (size === undefined) throw unknown(exchange);
  const range = exchange.method === 'GET' ? parseRange(exchange.request.headers.range, size) : undefined;
  if (range === 'unsatisfiable') {
    throw new RegistryFailure('SIZE_INVALID', `the blob has ${size} bytes`, {
      status: 416,
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  const { start, end } = range ?? { start: 0, end: size };
  exchange.response.writeHead(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': String(end - start),
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    ...(range ? { 'content-range': `bytes ${start}-${end - 1}/${size}` } : {}),
  });
  if (exchange.method === 'HEAD' || start === end) exchange.response.end();
  else await pipeline(repository.open(digest, start, end), exchange.response);
}

function unknown(exchange: Exchange): RegistryFailure {
  return new RegistryFailure('BLOB_UNKNOWN', `${exchange.name} has no blob ${exchange.reference}`);
}
