// How fast a response has to come. A timeout between two pieces alone lets a server send one byte a minute for ever, so over
// each minute of waiting a least number of bytes is required. The time that whoever takes the bytes needs is not counted.
import { AirgapError } from '../core/errors.ts';
import type { ByteStream } from '../core/streams.ts';
import type { Clock } from './clock.ts';
import { showUrl } from './url-policy.ts';

/** Milliseconds of waiting over which a response is judged. */
const WINDOW = 60_000;
/** Bytes that have to come in that time: no line that is in use is slower. */
export const LEAST_BYTES = 16 * 1024;

/** The same bytes. @throws REGISTRY_UNREACHABLE when too few come */
export async function* paced(
  body: ByteStream,
  { clock, url }: { readonly clock: Pick<Clock, 'now'>; readonly url: URL },
): AsyncGenerator<Uint8Array> {
  let [waited, bytes, since] = [0, 0, clock.now()];
  for await (const chunk of body) {
    waited += clock.now() - since;
    bytes += chunk.byteLength;
    if (waited >= WINDOW) {
      if (bytes < LEAST_BYTES) throw new TooSlow(url, { bytes, waited });
      [waited, bytes] = [0, 0];
    }
    yield chunk;
    since = clock.now();
  }
}

/** Too few bytes came in the time that was waited for them. */
export class TooSlow extends AirgapError {
  constructor(url: URL, found: { readonly bytes: number; readonly waited: number }) {
    const seconds = Math.round(found.waited / 1000);
    super('REGISTRY_UNREACHABLE', `${showUrl(url)} is too slow: ${found.bytes} bytes in ${seconds} s`, {
      hint: 'Check the network and the proxies on the way, or fetch it through a mirror. Run the same command again: what is done is not done twice.',
      details: { url: showUrl(url), ...found },
    });
  }
}
