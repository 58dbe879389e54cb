// Tables for people: each row is one line of the terminal, whatever its width; elsewhere nothing is shortened. The first columns
// matter most: those that have no room are left out from the end.
import { printable } from '../core/printable.ts';

/** Of where the result is shown. */
export interface Layout {
  /** Columns of the terminal; Infinity where nothing is to be shortened. */
  readonly width: number;
}

export interface Column {
  readonly heading: string;
  /** Which part of a cell may be left out: that of a name before its end, that of a text after its beginning. */
  readonly shorten?: 'start' | 'end';
}

/** A line, and how many of its first characters say that something is wrong. */
export interface Line {
  readonly text: string;
  readonly wrong: number;
}

const GAP = 2;
/** What a shortened cell keeps at least. */
const LEAST = 20;
const DIGEST = /\b(sha(?:256|512):[0-9a-f]{12})[0-9a-f]{20,}/g;

/** @param rows cells in the order of the columns. Text from outside cannot begin a row of its own. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], layout: Layout): string[] {
  const shown = rows.map((row) => row.map((cell) => briefly(printable(cell), layout)));
  const headings = columns.map(({ heading }) => heading);
  const all = headings.some((heading) => heading !== '') ? [headings, ...shown] : shown;
  const widths = fitted(columns, naturalWidths(all), layout.width);
  return all.map((row) =>
    widths
      .map((width, i) => cut(row[i] ?? '', width, columns[i]))
      .join('  ')
      .trimEnd(),
  );
}

/** The same, with the first cell of each row marked that `isWrong` says so of. */
export function markedTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { isWrong, ...layout }: Layout & { readonly isWrong: (row: readonly string[]) => boolean },
): (string | Line)[] {
  return table(columns, rows, layout).map((text, i) => {
    const row = rows[i - 1];
    return row !== undefined && isWrong(row) ? { text, wrong: row[0]?.length ?? 0 } : text;
  });
}

/** A digest on a terminal is there to be recognised. */
export function briefly(text: string, { width }: Layout): string {
  return Number.isFinite(width) ? text.replace(DIGEST, '$1…') : text;
}

/** At most `width` characters; `…` stands for the rest. */
export function shortened(text: string, width: number, from: 'start' | 'end' = 'end'): string {
  const characters = Array.from(text);
  if (characters.length <= width) return text;
  const kept = Math.max(width - 1, 0);
  return from === 'end'
    ? `${characters.slice(0, kept).join('')}…`
    : `…${characters.slice(-kept || characters.length).join('')}`;
}

function naturalWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, Array.from(cell).length)));
  return widths;
}

/** The widths of as many columns as fit, the later ones shortened first. */
function fitted(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  for (let count = natural.length; count > 1; count--) {
    const widths = natural.slice(0, count);
    let over = widths.reduce((sum, one) => sum + one + GAP, -GAP) - width;
    for (let i = count - 1; i >= 0 && over > 0; i--) {
      const spare = columns[i]?.shorten === undefined ? 0 : Math.max((widths[i] ?? 0) - LEAST, 0);
      widths[i] = (widths[i] ?? 0) - Math.min(spare, over);
      over -= Math.min(spare, over);
    }
    if (over <= 0) return widths;
  }
  return [Math.min(natural[0] ?? 0, width)];
}

function cut(cell: string, width: number, column: Column | undefined): string {
  const text = shortened(cell, width, column?.shorten);
  return text.padEnd(width + text.length - Array.from(text).length);
}
