import { describe, expect, test } from 'vitest';
import { markedTable, shortened, table, type Column } from '../../src/cli/table.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'PRESENT' },
  { heading: 'IMAGE', shorten: 'start' },
  { heading: 'DIGEST' },
  { heading: 'NEEDED BY', shorten: 'end' },
];
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const ROWS = [
  ['yes', 'registry.example/some/long/path/elasticsearch:9.5.2', DIGEST, 'Elasticsearch, '.repeat(20)],
  ['NO', 'kibana:9.5.2', DIGEST, 'Kibana'],
];

describe('a table', () => {
  test.each([20, 40, 60, 80, 100, 200, 300])('of %d columns has one line for each row', (width) => {
    const lines = table(COLUMNS, ROWS, { width });
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(width);
    expect(lines[2]).toMatch(/^NO/);
  });

  test('shows digests briefly, and the end of a name, where there is a width', () => {
    const [, row = ''] = table(COLUMNS, ROWS, { width: 80 });
    expect(row).toContain('sha256:0123456789ab…');
    expect(row).toContain('elasticsearch:9.5.2 ');
    expect(row).toContain('…');
  });

  test('leaves out columns from the end, and never the first where the second has room', () => {
    const [heading = '', row = ''] = table(COLUMNS, ROWS, { width: 60 });
    expect(heading).toMatch(/^PRESENT +IMAGE +DIGEST$/);
    expect(row).toMatch(/^yes .*elasticsearch:9\.5\.2 +sha256:0123456789ab…$/);
  });

  test('leaves nothing out where there is none', () => {
    const lines = table(COLUMNS, ROWS, { width: Infinity }).join('\n');
    for (const cell of ROWS.flat()) expect(lines).toContain(cell.trimEnd());
    expect(lines).not.toContain('…');
  });

  test('is as wide as its cells', () => {
    const columns = [{ heading: 'a' }, { heading: 'bb' }, { heading: 'c' }];
    expect(table(columns, [['aaa', 'b', '']], { width: 80 })).toEqual(['a    bb  c', 'aaa  b']);
  });

  test('takes no row and no column from a text from outside', () => {
    expect(table([{ heading: 'NAME' }], [['a\nyes  b\u001b[2J\u202e']], { width: 80 })).toEqual([
      'NAME',
      'a\\nyes  b\\u001b[2J\\u202e',
    ]);
  });

  test('marks what is wrong', () => {
    const layout = { width: 80, isWrong: ([first = '']: readonly string[]) => first.startsWith('NO') };
    const lines = markedTable(COLUMNS, ROWS, layout);
    expect(lines.map((line) => (typeof line === 'string' ? 0 : line.wrong))).toEqual([0, 0, 2]);
  });
});

test('a text is shortened at the end that matters less', () => {
  expect(shortened('abcdef', 6)).toBe('abcdef');
  expect(shortened('abcdef', 3)).toBe('ab…');
  expect(shortened('abcdef', 3, 'start')).toBe('…ef');
});
