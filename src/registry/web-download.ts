// Downloads from web servers. Where nobody knows how long a file is, its first answer tells, and a download that broke off
// goes on only with what is recognisably the same content (RFC 9110 §8.8, validators): no digest may be there to notice.
import { AirgapError } from '../core/errors.ts';
import { skip, type ByteStream } from '../core/streams.ts';
import { bodyError, discard, headerOf, type Answer } from './answer.ts';
import type { Clock } from './clock.ts';
import { encodingRefused } from './content-encoding.ts';
import { paced } from './pace.ts';
import { downloadSized, type DownloadOptions, type SizedDownload } from './sized-download.ts';
import { showUrl } from './url-policy.ts';

export type WebFile = Pick<SizedDownload, 'transport' | 'call'>;

export interface FileOptions extends DownloadOptions {
  /** Called with the bytes of the whole, where only the server knows them; a rejection ends the download. */
  readonly announced?: ((size: number) => Promise<void>) | undefined;
  /** Bytes of a file whose length the server does not say, at most; 4 GiB by default. Nothing else ends one that is sent for ever. */
  readonly unannouncedLimit?: number | undefined;
}

const UNANNOUNCED_LIMIT = 4 * 1024 ** 3;

/**
 * The bytes from `options.start` on.
 * @throws CONTENT_MISSING, DIGEST_MISMATCH (not of `size`), REGISTRY_PROTOCOL (it changed meanwhile), and the transport's errors
 */
export function downloadFile(file: WebFile, size: number | undefined, options: FileOptions): ByteStream {
  const refuse = (answer: Answer): AirgapError | undefined => encodingRefused(answer, file.call.target);
  return size === undefined
    ? downloadUnsized(file, options)
    : downloadSized({ ...file, size, wrongSize: wrongSize(size), refuse }, options);
}

/** @throws REGISTRY_PROTOCOL for an answer that ends where the connection does: one that is cut off would look whole */
export function refuseEndless(answer: Answer): void {
  if (headerOf(answer, 'content-length') !== undefined || headerOf(answer, 'transfer-encoding') !== undefined) return;
  throw new AirgapError('REGISTRY_PROTOCOL', `${showUrl(answer.url)} does not say where its answer ends`, {
    hint: 'A download that is cut off could not be told from a whole one: have the server, or the proxy before it, send Content-Length.',
  });
}

async function* downloadUnsized(file: WebFile, options: FileOptions): AsyncGenerator<Uint8Array> {
  const { start = 0, signal, unannouncedLimit = UNANNOUNCED_LIMIT } = options;
  const { clock } = file.transport;
  const attempts = file.transport.attempts(signal);
  for (;;) {
    const first = await file.transport.send({ ...file.call, method: 'GET', signal, elsewhere: true }, [200]);
    await accept(first, file, options);
    const content = contentOf(first, file);
    if (content !== undefined) {
      if (start > 0) discard(first);
      yield* downloadSized({ ...file, ...content, first: start > 0 ? undefined : first }, options);
      return;
    }
    let begun = false;
    try {
      refuseEndless(first);
      for await (const chunk of skip(bounded(first, clock, unannouncedLimit), start)) {
        begun = true;
        yield chunk;
      }
      return;
    } catch (error) {
      discard(first);
      const failure = bodyError(first, error);
      if (begun) throw failure;
      await attempts.wait(failure);
    }
  }
}

/** @throws REGISTRY_PROTOCOL for what is encoded, what `announced` rejects with */
async function accept(answer: Answer, { call }: WebFile, { announced }: FileOptions): Promise<void> {
  try {
    const refusal = encodingRefused(answer, call.target);
    if (refusal) throw refusal;
    const length = announcedLength(answer);
    if (length !== undefined) await announced?.(length);
  } catch (error) {
    discard(answer);
    throw error;
  }
}

function announcedLength(answer: Answer): number | undefined {
  const length = headerOf(answer, 'content-length') ?? '';
  return /^[0-9]{1,15}$/.test(length) ? Number(length) : undefined;
}

/** The body, at the pace and of the size that are accepted. */
async function* bounded(
  answer: Answer,
  clock: Pick<Clock, 'now'>,
  unannouncedLimit: number,
): AsyncGenerator<Uint8Array> {
  const limit = announcedLength(answer) === undefined ? unannouncedLimit : Infinity;
  let size = 0;
  for await (const chunk of paced(answer.body, { clock, url: answer.url })) {
    size += chunk.byteLength;
    if (size > limit) throw unannounced(answer, limit);
    yield chunk;
  }
}

function unannounced({ url }: Answer, limit: number): AirgapError {
  return new AirgapError(
    'REGISTRY_PROTOCOL',
    `${showUrl(url)} sent more than ${limit} bytes without saying how long the file is`,
    {
      hint: 'Have the server, or the proxy before it, send Content-Length; or fetch the file by another way and name it by its "path".',
      details: { url: showUrl(url), limit },
    },
  );
}

/** What the answer says of its content, where that is enough to go on with another answer. */
function contentOf(
  answer: Answer,
  { call }: WebFile,
): Pick<SizedDownload, 'size' | 'wrongSize' | 'refuse'> | undefined {
  const validator = validatorOf(answer);
  const size = announcedLength(answer);
  if (validator === undefined || size === undefined) return undefined;
  return {
    size,
    wrongSize: wrongSize(size),
    refuse: (other) =>
      encodingRefused(other, call.target) ?? (validatorOf(other) === validator ? undefined : changed(other)),
  };
}

/** A strong ETag, or else the date; a weak one is the same for contents that only mean the same. */
function validatorOf(answer: Answer): string | undefined {
  const etag = headerOf(answer, 'etag');
  return etag?.startsWith('"') === true ? etag : headerOf(answer, 'last-modified');
}

function changed({ url }: Answer): AirgapError {
  return new AirgapError('REGISTRY_PROTOCOL', `${showUrl(url)} changed while it was downloaded`, {
    hint: 'Run the same command again.',
  });
}

function wrongSize(expected: number): SizedDownload['wrongSize'] {
  return (found, where) =>
    new AirgapError('DIGEST_MISMATCH', `${where}: expected ${expected} bytes, found ${found}`, {
      details: { expected: { size: expected }, found: { size: found } },
    });
}
