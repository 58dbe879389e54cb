// Changes of the bytes of bundle.json that may leave its values as they are: it has one form, and no other is it.
import type { Seeded } from '../../test/support/seeded.ts';

type TextChange = (text: string, random: Seeded) => string;

const NUMBERS = [
  '1e2',
  '-0',
  '1.0',
  '1E0',
  '+1',
  '01',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '1e400',
  '0x1',
  'NaN',
  '-1',
  '0.1e1',
  '٣',
];
const BLANKS = [' ', '\n', '\t', '\r\n', '\u00a0', '\ufeff', '/**/'];

export const textChanges: Readonly<Record<string, TextChange>> = {
  'a number in another form': (text, random) => {
    const found = [...text.matchAll(/:([0-9]+)/g)];
    const { index, 1: digits = '' } = random.pick(found);
    return spliced(
      text,
      { at: index + 1, length: digits.length },
      random.pick([...NUMBERS, `${digits}.0`, `${digits}e0`, `0${digits}`, `-${digits}`, `${digits} `]),
    );
  },
  'a blank put in': (text, random) => spliced(text, { at: markIn(text, random), length: 0 }, random.pick(BLANKS)),
  'something before or after it': (text, random) =>
    random.below(2) === 0 ? random.pick(BLANKS) + text : text + random.pick([...BLANKS, '{}', '\0', ',', text]),
  'a key twice': (text, random) => {
    const { index, 0: member } = random.pick([...text.matchAll(/"[a-zA-Z]+":(?:[0-9]+|"[^"]*"),/g)]);
    return spliced(text, { at: index, length: 0 }, random.pick([member, member.replace(/:.*,/, ':0,')]));
  },
  'keys in another order': (text, random) => {
    const {
      index,
      0: both,
      1: first = '',
      2: second = '',
    } = random.pick([...text.matchAll(/("[a-zA-Z]+":(?:[0-9]+|"[^"]*")),("[a-zA-Z]+":(?:[0-9]+|"[^"]*"))/g)]);
    return spliced(text, { at: index, length: both.length }, `${second},${first}`);
  },
  'a character as an escape': (text, random) => {
    const { index, 0: character } = random.pick([...text.matchAll(/[a-z/.](?=[^"]*")/g)].slice(0, 2000));
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return spliced(
      text,
      { at: index, length: 1 },
      random.pick([`\\u${code}`, `\\u${code.toUpperCase()}`, `\\${character}`]),
    );
  },
  'a mark changed': (text, random) =>
    spliced(text, { at: markIn(text, random) - 1, length: 1 }, random.pick(['{', '}', '[', ']', ',', ':', '"', ''])),
  'deep or many marks': (text, random) =>
    text.replace(
      '"images":[',
      `"images":[${random.pick(['['.repeat(7), '['.repeat(100_000), '0,'.repeat(500_001), '"[,{",'.repeat(9)])}`,
    ),
  'cut short': (text, random) => text.slice(0, random.below(text.length)),
};

/** Just behind a mark that is no part of a string. */
function markIn(text: string, random: Seeded): number {
  return random.pick([...text.matchAll(/[{[,:](?=["{[0-9])/g)]).index + 1;
}

function spliced(text: string, { at, length }: { at: number; length: number }, by: string): string {
  return text.slice(0, at) + by + text.slice(at + length);
}
