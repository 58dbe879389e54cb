// What was measured, as a page of docs/.
import { markdownTable } from '../docs/markdown.ts';
import type { Spread } from './stats.ts';

/** A figure that must be at most, or at least, or exactly so much. */
export interface Goal {
  readonly value: number;
  readonly limit: number;
  readonly atLeast?: true;
  readonly exactly?: true;
  /** What the least that can be done comes to, in the same measure. */
  readonly floor?: number;
  readonly unit: string;
}

export interface Section {
  readonly title: string;
  /** What was done, in a sentence or two. */
  readonly text: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | Goal)[])[];
}

export interface Page {
  readonly title: string;
  /** The command line that made it. */
  readonly command: string;
  /** What it ran on, each a sentence without full stop. */
  readonly circumstances: readonly string[];
  readonly sections: readonly Section[];
}

/** What a page says it was made with; where it was made is left out. */
export function commandLine(script: string, args: readonly string[]): string {
  const shown = args.filter((arg, i) => !arg.startsWith('--scratch') && args[i - 1] !== '--scratch');
  return [script, ...(shown.length > 0 ? ['--', ...shown] : [])].join(' ');
}

export function renderPage({ title, command, circumstances, sections }: Page): string {
  return [
    `# ${title}`,
    'Every figure on this page was measured and written by',
    `\`\`\`\n${command}\n\`\`\``,
    circumstances.map((line) => `- ${line}`).join('\n'),
    ...sections.flatMap((section) => [`## ${section.title}`, section.text, table(section.head, section.rows)]),
  ]
    .join('\n\n')
    .concat('\n');
}

/** Goals that were not met, each in a line. */
export function missed(sections: readonly Section[]): string[] {
  return sections.flatMap(({ title, rows }) =>
    rows.flatMap((row) =>
      row.flatMap((cell) => (typeof cell === 'string' || holds(cell) ? [] : [`${title}: ${goalText(cell)}`])),
    ),
  );
}

export function holds({ value, limit, atLeast, exactly }: Goal): boolean {
  if (exactly === true) return value === limit;
  return atLeast === true ? value >= limit : value <= limit;
}

export function goalText(goal: Goal): string {
  if (goal.exactly === true)
    return `${number(goal.value)} of ${number(goal.limit)}${goal.unit}${holds(goal) ? '' : ' **missed**'}`;
  const sign = goal.atLeast === true ? '≥' : '≤';
  return `${number(goal.value)}${goal.unit} (${sign} ${number(goal.limit)}${goal.unit}: ${verdict(goal)})`;
}

function verdict(goal: Goal): string {
  if (holds(goal)) return 'holds';
  const { floor } = goal;
  if (floor === undefined || holds({ ...goal, value: floor })) return '**missed**';
  return `**missed**; the floor alone is ${number(floor)}`;
}

export function seconds({ median, from, to }: Spread): string {
  return `${median.toFixed(2)} s (${from.toFixed(2)}–${to.toFixed(2)})`;
}

function number(value: number): string {
  return Number.isInteger(value) || value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

function table(head: readonly string[], rows: Section['rows']): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? cell : goalText(cell))));
  return markdownTable(head, cells);
}
