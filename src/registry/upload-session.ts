// The requests of a blob upload (distribution-spec, "Pushing blobs"), one function each: start, mount, send, ask, finish.
// Which of them comes when, and what a failure means, is upload.ts.
import type { Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { discard, headerOf, type Answer } from './answer.ts';
import { digestAnswered } from './digest-header.ts';
import { isHttpError } from './http-error.ts';
import { parseUploadRange } from './range.ts';
import { repositoryScope } from './scope.ts';
import type { Call, Transport } from './transport.ts';
import { checkUploadLocation, showUrl } from './url-policy.ts';
import type { RequestBody } from './wire.ts';

/** What upload requests are about. */
export interface UploadContext {
  readonly transport: Transport;
  /** Repository, as the registry knows it. */
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
}

/** A session under way. */
export interface UploadSession {
  readonly location: URL;
  /** Last byte the registry says it holds, 0 for one or none (see range.ts); undefined when it did not say. */
  readonly last: number | undefined;
  /** The least a chunk may be (OCI-Chunk-Min-Length). */
  readonly minimum: number;
}

/** Committing a large blob can take the registry minutes. */
const COMMIT_PATIENCE = 15;
/** Larger minimum chunks than this are not believed. */
const MINIMUM_CAP = 1024 * 1024 * 1024;

/** @throws REGISTRY_ERROR when there is no such repository and the registry makes none */
export async function startUpload(context: UploadContext): Promise<UploadSession> {
  try {
    return await sessionOf(
      context,
      await context.transport.send(call(context, 'POST', uploadsPath(context)), [202, 201, 200, 204]),
    );
  } catch (error) {
    if (!isHttpError(error, 404)) throw error;
    throw new AirgapError('REGISTRY_ERROR', `cannot push to ${context.name}: ${error.message}`, {
      cause: error,
      hint: 'The registry may want the project or repository to be created first.',
      details: error.details,
    });
  }
}

/** Undefined when the registry has the blob now; else the session that it opened instead. A refusal is an HttpError. */
export async function mountBlob(
  context: UploadContext,
  digest: Digest,
  from: string,
): Promise<UploadSession | undefined> {
  const query = new URLSearchParams({ mount: digest, from });
  const post = call(context, 'POST', `${uploadsPath(context)}?${query.toString()}`);
  const scopes = [...post.scopes, repositoryScope(from, 'pull')];
  const answer = await context.transport.send({ ...post, scopes }, [201, 202, 200, 204]);
  if (answer.status === 202) return sessionOf(context, answer);
  discard(answer);
  digestAnswered(answer, digest);
  return undefined;
}

/** What the registry holds of the session; undefined when the session is gone, or the registry will not say. */
export async function askUpload(context: UploadContext, location: URL): Promise<UploadSession | undefined> {
  try {
    const answer = await context.transport.send(call(context, 'GET', location), [204, 202, 200]);
    return await sessionOf(context, answer, location);
  } catch (error) {
    if (isHttpError(error, 400, 404, 405, 410, 416, 501)) return undefined;
    throw error;
  }
}

/** Sends bytes from `start` on, once. The answer's status is 202, or 201 where a registry says that it is finished. */
export async function sendChunk(
  context: UploadContext,
  location: URL,
  chunk: { start: number; body: RequestBody },
): Promise<UploadSession & { status: number }> {
  const { start, body } = chunk;
  const headers = {
    'content-type': 'application/octet-stream',
    'content-range': `${start}-${start + body.length - 1}`,
  };
  const answer = await context.transport.once({ ...call(context, 'PATCH', location), headers, body }, [202, 201, 204]);
  return { ...(await sessionOf(context, answer, location)), status: answer.status };
}

/** Ends the session, with all bytes (`body`) or none; once. @throws DIGEST_MISMATCH when something else was committed */
export async function finishUpload(
  context: UploadContext,
  location: URL,
  last: { digest: Digest; body?: RequestBody | undefined },
): Promise<{ committed: boolean }> {
  const { digest, body } = last;
  const url = new URL(location);
  // kept as text: the registry's own query must come back byte for byte
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(digest)}`;
  const put = call(context, 'PUT', url);
  const headers = body === undefined ? {} : { 'content-type': 'application/octet-stream' };
  const answer = await context.transport.once(
    { ...put, headers, body, patience: COMMIT_PATIENCE },
    [201, 202, 204, 200],
  );
  discard(answer);
  digestAnswered(answer, digest);
  return { committed: answer.status === 201 };
}

/** Bytes of the upload that an answer stands for; `sent` is how many there can be. `0-0` is one byte only where one was sent. */
export function heldBytes(last: number | undefined, sent: number): number | undefined {
  if (last === undefined) return undefined;
  return last === 0 && sent !== 1 ? 0 : last + 1;
}

/** Where a remembered session is; undefined when it is not an address of this registry any more. */
export async function rememberedLocation(context: UploadContext, location: string): Promise<URL | undefined> {
  const sender = await context.transport.sender(context.signal);
  try {
    return checkUploadLocation(location, sender.origin, sender);
  } catch {
    return undefined;
  }
}

function call({ name, signal }: UploadContext, method: Call['method'], target: string | URL): Call {
  return { method, target, scopes: [repositoryScope(name, 'push')], signal };
}

function uploadsPath({ name }: UploadContext): string {
  return `${name}/blobs/uploads/`;
}

/** A session's first answer has to say where it is; later ones may leave it as it was. */
async function sessionOf(context: UploadContext, answer: Answer, known?: URL): Promise<UploadSession> {
  discard(answer);
  const header = headerOf(answer, 'location');
  if (header === undefined && known === undefined) {
    throw new AirgapError('REGISTRY_PROTOCOL', `${showUrl(answer.url)} opened an upload without a Location`);
  }
  const sender = await context.transport.sender(context.signal);
  const minimum = Number(headerOf(answer, 'oci-chunk-min-length') ?? 0);
  return {
    location: header === undefined ? new URL(known ?? answer.url) : checkUploadLocation(header, answer.url, sender),
    last: parseUploadRange(headerOf(answer, 'range')),
    minimum: Number.isSafeInteger(minimum) && minimum > 0 && minimum <= MINIMUM_CAP ? minimum : 0,
  };
}
