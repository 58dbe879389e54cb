// PEM (RFC 7468), strictly: one block, canonical base64, nothing before or after it.
import { AirgapError } from '../core/errors.ts';

export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

/** Keys are small; anything larger is not one. */
const PEM_LIMIT = 64 * 1024;
const BLOCK = /^-----BEGIN ([A-Z0-9 ]{1,40})-----\n((?:[A-Za-z0-9+/=]{1,100}\n)+)-----END \1-----\n?$/;

export function formatPem({ label, der }: PemBlock): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Line ends may be CRLF. @throws KEY_INVALID naming `where` */
export function singlePem(text: string, where: string): PemBlock {
  const unix = text.slice(0, PEM_LIMIT + 1).replaceAll('\r\n', '\n');
  const [, label, body] = (unix.length <= PEM_LIMIT && BLOCK.exec(unix)) || [];
  const base64 = body?.replaceAll('\n', '') ?? '';
  const der = Buffer.from(base64, 'base64');
  if (label !== undefined && der.toString('base64') === base64) return { label, der };
  throw new AirgapError(
    'KEY_INVALID',
    `${where} is not a key in PEM: one block from BEGIN to END, and nothing else, is expected`,
    {
      hint:
        unix.split('-----BEGIN ').length > 2 ? 'The file holds several blocks; keep the one that is meant.' : undefined,
    },
  );
}
