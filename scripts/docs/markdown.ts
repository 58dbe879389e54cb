// Tables of generated pages.

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Text that stays in its cell, and of which nothing is markup but code between backticks. */
export function cell(text: string): string {
  return text
    .replace(/\|/g, '\\|')
    .replace(/(`[^`]*`)|([<>*_])/g, (_all, code: string | undefined, mark: string) => code ?? `\\${mark}`);
}
