// HTML that is safe by how it is made: what is put into a template is text, and is escaped, unless it is HTML already.
// Characters that cannot be seen, or that reorder what is seen, are shown as their numbers.

/** Markup that may stand in a page as it is. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type Part = string | number | Html | readonly Html[];

/** Control, format, private and unassigned characters, separators other than the blank, and letters without a shape. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]|(?! )\p{Zs}/gu;

/** A template; text in it belongs between tags, or is a word that the page itself chose for an attribute. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(literals.reduce((made, literal, i) => `${made}${markupOf(parts[i - 1] ?? '')}${literal}`));
}

function markupOf(part: Part): string {
  if (part instanceof Html) return part.markup;
  return typeof part === 'object' ? part.map(({ markup }) => markup).join('\n') : escape(String(part));
}

function escape(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(INVISIBLE, (character) => {
      const number = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      return `<span class="unseen">U+${number}</span>`;
    });
}

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly numeric?: boolean;
}

export interface TableOptions {
  /** How its columns share the width: a class of the style sheet. */
  readonly layout: 'things' | 'changes' | 'media' | 'sign';
  readonly caption: string;
  readonly columns: readonly Column[];
  /** The first cell of a row names it. */
  readonly rows: readonly (readonly Part[])[];
  /** A last row that sums the others up. */
  readonly total?: readonly Part[] | undefined;
}

/** With roles said, since on narrow screens its rows are laid out as blocks, which hides from browsers that it is a table. */
export function table({ layout, caption, columns, rows, total }: TableOptions): Html {
  const heads = columns.map(({ title, numeric }) => {
    return html`<th scope="col" role="columnheader" class="${kind(numeric)}">${title}</th>`;
  });
  const body = rows.map((cells) => row(cells, columns, 'plain'));
  const sum = total === undefined ? [] : [row(total, columns, 'total')];
  return html`<table role="table" class="${layout}">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${heads}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${[...body, ...sum]}
    </tbody>
  </table>`;
}

function row(cells: readonly Part[], columns: readonly Column[], className: string): Html {
  const made = cells.map((cell, i) => {
    const { title = '', numeric } = columns[i] ?? {};
    return i === 0
      ? html`<th scope="row" role="rowheader">${cell}</th>`
      : html`<td role="cell" class="${kind(numeric)}" data-column="${title}">${cell}</td>`;
  });
  return html`<tr role="row" class="${className}">
    ${made}
  </tr>`;
}

function kind(numeric = false): string {
  return numeric ? 'number' : 'text';
}
