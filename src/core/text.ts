// Text in files that people make with whatever is at hand: UTF-8 with or without a byte order mark, and UTF-16 with one, as
// Windows writes it.
import { AirgapError, type ErrorCode } from './errors.ts';

/** The text, without its byte order mark; undefined for what is neither UTF-8 nor UTF-16 with a mark, or holds a NUL. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** @param where names the file in the message. @throws `code` */
export function requireText(bytes: Uint8Array, where: string, code: ErrorCode = 'CONFIG_INVALID'): string {
  const text = decodeText(bytes);
  if (text !== undefined) return text;
  throw new AirgapError(code, `${where} is not text in UTF-8, nor in UTF-16 with a byte order mark`, {
    hint: 'Check that it is the file that is meant; an editor can save a text as UTF-8.',
  });
}

/** The only line of a text, without its end; blanks belong to it. Undefined where there are several. */
export function onlyLine(text: string): string | undefined {
  const line = text.replace(/(?:\r?\n)+$/, '');
  return /[\r\n]/.test(line) ? undefined : line;
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}
