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
