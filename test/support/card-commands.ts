// The commands that a trust card prints, as a person copies them: lines that are indented by two blanks, and those below that
// are indented by more.

export interface CardCommands {
  /** In the order of the card; the two first read the paths from standard input. */
  readonly steps: readonly string[];
  /** For a machine without openssl: the digits of key and program, then what makes the program run. */
  readonly withoutOpenssl: readonly string[];
  readonly forWindows: string;
}

export function cardCommands(card: string): CardCommands {
  const blocks = [...card.matchAll(/(?:^ {2}\S.*\n(?: {3,}\S.*\n)*)+/gm)].map(([block]) => block);
  return { steps: blocks.slice(0, 6), withoutOpenssl: blocks.slice(6, 8), forWindows: blocks[8] ?? '' };
}
