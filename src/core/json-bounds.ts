// How much a JSON text holds, counted before it is parsed: a parser makes an object of everything, and a text that is mostly
// brackets becomes many times as large in memory as it is.

export interface JsonBounds {
  /** Arrays and objects inside one another. */
  readonly depth: number;
  /** Of `[`, `{` and `,` outside strings: at least as many as there are values, less one. */
  readonly marks: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_TABLE = 0x7b;
const CLOSE_TABLE = 0x7d;

/** Whether the text stays within the bounds; of what is not JSON, as far as it could be. Makes nothing. */
export function isWithin(bytes: Uint8Array, { depth, marks }: JsonBounds): boolean {
  let level = 0;
  let counted = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) i = endOfString(bytes, i);
    else if (byte === COMMA) counted++;
    else if (byte === OPEN_LIST || byte === OPEN_TABLE) {
      counted++;
      level++;
    } else if (byte === CLOSE_LIST || byte === CLOSE_TABLE) level--;
    if (counted > marks || level > depth) return false;
  }
  return true;
}

/** Where the closing quote is, or the end of the text. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let end = bytes.indexOf(QUOTE, start + 1); end >= 0; end = bytes.indexOf(QUOTE, end + 1)) {
    let first = end;
    while (bytes[first - 1] === BACKSLASH) first--;
    if ((end - first) % 2 === 0) return end;
  }
  return bytes.length;
}
