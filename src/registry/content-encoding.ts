// Content-Encoding (RFC 9110 §8.4). Every request asks for content as it is, since what is encoded on the way has other bytes
// than the file, and other bytes than a digest names.
import { AirgapError } from '../core/errors.ts';
import { headerOf, type Answer } from './answer.ts';
import { showUrl } from './url-policy.ts';

/** Servers say so of files that were compressed before they were published, and send them as they are. */
const OWN_ENCODING: Readonly<Record<string, RegExp>> = {
  gzip: /\.(?:t?gz|svgz)$/i,
  'x-gzip': /\.(?:t?gz|svgz)$/i,
  zstd: /\.t?zst$/i,
  br: /\.br$/i,
  compress: /\.(?:Z|taz)$/,
  'x-compress': /\.(?:Z|taz)$/,
  bzip2: /\.(?:bz2|tbz2?)$/i,
  'x-bzip2': /\.(?:bz2|tbz2?)$/i,
  xz: /\.t?xz$/i,
};

/** What to throw for a response that is encoded, unless its target is a file that is so itself. */
export function encodingRefused(
  answer: Pick<Answer, 'headers' | 'url'>,
  target: string | URL,
): AirgapError | undefined {
  const path = typeof target === 'string' ? target : target.pathname;
  const encoding = (headerOf(answer, 'content-encoding') ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity' || OWN_ENCODING[encoding]?.test(path) === true) return undefined;
  const shown = JSON.stringify(encoding.slice(0, 40));
  return new AirgapError(
    'REGISTRY_PROTOCOL',
    `${showUrl(answer.url)} was sent with Content-Encoding ${shown}, though it was asked for as it is`,
    {
      hint: 'Have the server, or the proxy before it, send it without compression: what it sends now is not the content itself.',
      details: { url: showUrl(answer.url), encoding: encoding.slice(0, 40) },
    },
  );
}
