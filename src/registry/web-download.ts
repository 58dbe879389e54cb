// Downloads from web servers. Where nobody knows how long a file is, its first answer tells, and a download that broke off
// goes on only with what is recognisably the same content (RFC 9110 §8.8, validators): no digest may be there to notice.
import { AirgapError } from '../core/errors.ts';
import { skip, type ByteStream } from '../core/streams.ts';
import { bodyError, discard, headerOf, type Answer } from './answer.ts';
import { downloadSized, type DownloadOptions, type SizedDownload } from './sized-download.ts';
import { showUrl } from './url-policy.ts';

export type WebFile = Pick<SizedDownload, 'transport' | 'call'>;

/**
 * The bytes from `options.start` on.
 * @throws CONTENT_MISSING, DIGEST_MISMATCH (not of `size`), REGISTRY_PROTOCOL (it changed meanwhile), and the transport's errors
 */
export function downloadFile(file: WebFile, size: number | undefined, options: DownloadOptions): ByteStream {
  return size === undefined
    ? downloadUnsized(file, options)
    : downloadSized({ ...file, size, wrongSize: wrongSize(size) }, options);
}

/** @throws REGISTRY_PROTOCOL for an answer that ends where the connection does: one that is cut off would look whole */
export function refuseEndless(answer: Answer): void {
  if (headerOf(answer, 'content-length') !== undefined || headerOf(answer, 'transfer-encoding') !== undefined) return;
  throw new AirgapError('REGISTRY_PROTOCOL', `${showUrl(answer.url)} does not say where its answer ends`, {
    hint: 'A download that is cut off could not be told from a whole one: have the server, or the proxy before it, send Content-Length.',
  });
}

async function* downloadUnsized(file: WebFile, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const { start = 0, signal } = options;
  const attempts = file.transport.attempts(signal);
  for (;;) {
    const first = await file.transport.send({ ...file.call, method: 'GET', signal, elsewhere: true }, [200]);
    const content = contentOf(first);
    if (content !== undefined) {
      if (start > 0) discard(first);
      yield* downloadSized({ ...file, ...content, first: start > 0 ? undefined : first }, options);
      return;
    }
    let begun = false;
    try {
      refuseEndless(first);
      for await (const chunk of skip(first.body, start)) {
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

/** What the answer says of its content, where that is enough to go on with another answer. */
function contentOf(answer: Answer): Pick<SizedDownload, 'size' | 'wrongSize' | 'refuse'> | undefined {
  const validator = validatorOf(answer);
  const length = headerOf(answer, 'content-length') ?? '';
  if (validator === undefined || !/^[0-9]{1,15}$/.test(length)) return undefined;
  const size = Number(length);
  return {
    size,
    wrongSize: wrongSize(size),
    refuse: (other) => (validatorOf(other) === validator ? undefined : changed(other)),
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
