// Reading what a descriptor names: from the registry or, for foreign layers that it lacks, from their own addresses. How a
// download goes on after a broken connection is sized-download.ts.
import type { ByteStream } from '../core/streams.ts';
import { digestMismatch, type Descriptor } from '../oci/descriptor.ts';
import { isForeignLayerType } from '../oci/media-types.ts';
import type { FetchOptions } from '../oci/target.ts';
import { isNotThere } from './http-error.ts';
import { downloadSized, type SizedDownload } from './sized-download.ts';
import type { Transport } from './transport.ts';
import { checkForeignLayerUrl } from './url-policy.ts';

export interface Download {
  readonly transport: Transport;
  readonly descriptor: Descriptor;
  /** The GET for the whole of it; a Range is added. */
  readonly call: SizedDownload['call'];
}

/** The bytes from `options.start` on. @throws CONTENT_MISSING, DIGEST_MISMATCH (another size), and the transport's errors */
export function download(what: Download, options: FetchOptions = {}): ByteStream {
  const { mediaType, urls = [] } = what.descriptor;
  const foreign = isForeignLayerType(mediaType) && urls.length > 0;
  return foreign ? downloadForeign(what, urls, options) : downloadFrom(what, options);
}

function downloadFrom({ transport, call, descriptor }: Download, options: FetchOptions): AsyncGenerator<Uint8Array> {
  const { size } = descriptor;
  const wrongSize: SizedDownload['wrongSize'] = (found, where) => digestMismatch(descriptor, { size: found }, where);
  return downloadSized({ transport, call, size, wrongSize }, options);
}

/** The registry may lack a foreign layer; only then are its own addresses tried, without credentials. */
async function* downloadForeign(
  what: Download,
  urls: readonly string[],
  options: FetchOptions,
): AsyncGenerator<Uint8Array> {
  const { target, scopes } = what.call;
  const sender = await what.transport.sender(options.signal);
  const calls = [what.call, ...urls.map((url) => ({ target: url, scopes, anonymous: true }))];
  let position = options.start ?? 0;
  let failure: unknown;
  for (const call of calls) {
    try {
      const resolved =
        call.target === target ? call : { ...call, target: checkForeignLayerUrl(String(call.target), sender) };
      for await (const chunk of downloadFrom({ ...what, call: resolved }, { ...options, start: position })) {
        position += chunk.byteLength;
        yield chunk;
      }
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (call.target === target && !isNotThere(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}
