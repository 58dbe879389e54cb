// SHA256SUMS, in the format of sha256sum (binary mode marks left out).

export interface SumLine {
  readonly name: string;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Lines in the order given; `sha256sum -c SHA256SUMS` reads them. */
export function formatSums(lines: readonly SumLine[]): string {
  return lines.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
}

/** A name is one file beside the list. Undefined for what is no such list, or names a file twice. */
export function parseSums(text: string): SumLine[] | undefined {
  const lines: SumLine[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    const [, sha256, name] = /^([0-9a-f]{64}) {2}([^/\\\n]{1,255})$/.exec(line) ?? [];
    if (sha256 === undefined || name === undefined) return undefined;
    lines.push({ sha256, name });
  }
  const names = new Set(lines.map(({ name }) => name));
  return text.endsWith('\n') && names.size === lines.length ? lines : undefined;
}
