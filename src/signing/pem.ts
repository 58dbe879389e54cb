// PEM (RFC 7468), strictly: one block, canonical base64, nothing before or after it. What editors and copying add around
// lines (a byte order mark, CRLF, blanks at their ends, empty lines before and after) is no part of it.
import { AirgapError } from '../core/errors.ts';

export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

/** Keys are small; anything larger is not one. */
const PEM_LIMIT = 64 * 1024;
const BLOCK = /^-----BEGIN ([A-Z0-9 ]{1,40})-----\n((?:[A-Za-z0-9+/=]{1,100}\n)+)-----END \1-----$/;

export function formatPem({ label, der }: PemBlock): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** @throws KEY_INVALID naming `where` */
export function singlePem(text: string, where: string): PemBlock {
  const pem = text.length <= PEM_LIMIT ? withoutDecoration(text) : '';
  const [, label, body] = BLOCK.exec(pem) ?? [];
  const base64 = body?.replaceAll('\n', '') ?? '';
  const der = Buffer.from(base64, 'base64');
  if (label !== undefined && der.toString('base64') === base64) return { label, der };
  throw new AirgapError(
    'KEY_INVALID',
    `${where} is not a key in PEM: one block from BEGIN to END, and nothing else, is expected`,
    { hint: wayOut(pem) },
  );
}

function withoutDecoration(text: string): string {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/[ \t]*(?:\r\n|\r|\n)/g, '\n')
    .trim();
}

function wayOut(text: string): string | undefined {
  const blocks = text.split('-----BEGIN ').length - 1;
  if (blocks > 1) return 'The file holds several blocks; keep the one that is meant.';
  if (blocks === 0) return 'A key in PEM begins with a line such as "-----BEGIN PUBLIC KEY-----".';
  if (!text.startsWith('-----BEGIN ')) return 'Remove the text before the line that begins with "-----BEGIN".';
  if (!/-----END [^\n]*-----$/.test(text)) return 'The line "-----END …-----" is missing, or text follows it.';
  return /\n\n/.test(text) ? 'Remove the empty lines between BEGIN and END.' : undefined;
}
