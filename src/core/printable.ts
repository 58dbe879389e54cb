// Text from outside made harmless, in the one place that does it: names in manifests, messages of servers, file names. On a
// terminal, in a page or in a log such text can neither begin a line of its own, nor move the cursor, nor change the order in
// which other text is read, nor hide a part of itself.

/**
 * Control characters (C0, C1, DEL), the ends of lines and paragraphs, what has no width or changes the direction of writing, and
 * halves of a character.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line of text; what HIDDEN names is shown as it is escaped in source code: `\n`, `\u202e`, `\u{e0041}`. */
export function printable(text: string): string {
  return text.replace(HIDDEN, (character) => SHORT[character] ?? escaped(character.codePointAt(0) ?? 0));
}

/** A JSON document of the same value, in which HIDDEN is escaped; ends of lines stay where they are not inside a string. */
export function printableJson(value: unknown): string {
  // inside a string JSON.stringify has escaped every end of a line
  return JSON.stringify(value, null, 2).replace(HIDDEN, (character) =>
    character === '\n' ? character : [...Array(character.length).keys()].map((i) => unit(character, i)).join(''),
  );
}

function escaped(codePoint: number): string {
  const hex = codePoint.toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

/** JSON has no escape for more than 16 bits: a character beyond them is two. */
function unit(character: string, index: number): string {
  return escaped(character.charCodeAt(index));
}
