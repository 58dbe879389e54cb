import { describe, expect, test } from 'vitest';
import { goalText, holds, missed, renderPage, seconds, type Section } from '../../scripts/bench/report.ts';

const atMost = (value: number) => ({ value, limit: 0.6, unit: '' });
const section = (value: number): Section => ({
  title: 'build',
  text: 'Built.',
  head: ['image', 'ratio'],
  rows: [['one', atMost(value)]],
});

describe('a goal', () => {
  test.each([
    { goal: atMost(0.6), text: '0.60 (≤ 0.60: holds)' },
    { goal: atMost(0.601), text: '0.60 (≤ 0.60: **missed**)' },
    { goal: { value: 85, limit: 85, unit: ' %', atLeast: true }, text: '85 % (≥ 85 %: holds)' },
    { goal: { value: 84.5, limit: 85, unit: ' %', atLeast: true }, text: '84.50 % (≥ 85 %: **missed**)' },
    { goal: { value: 200, limit: 200, exactly: true, unit: '' }, text: '200 of 200' },
    { goal: { value: 201, limit: 200, exactly: true, unit: '' }, text: '201 of 200 **missed**' },
    { goal: { ...atMost(0.7), floor: 0.5 }, text: '0.70 (≤ 0.60: **missed**)' },
    { goal: { ...atMost(0.7), floor: 0.65 }, text: '0.70 (≤ 0.60: **missed**; the floor alone is 0.65)' },
    { goal: { ...atMost(0.5), floor: 0.65 }, text: '0.50 (≤ 0.60: holds)' },
    { goal: { value: NaN, limit: 200, unit: ' MiB' }, text: 'NaN MiB (≤ 200 MiB: **missed**)' },
  ] as const)('$text', ({ goal, text }) => {
    expect(goalText(goal)).toBe(text);
    expect(holds(goal)).toBe(!text.includes('missed'));
  });
});

test('what is missed is named with its section', () => {
  expect(missed([section(0.5), section(0.7)])).toEqual(['build: 0.70 (≤ 0.60: **missed**)']);
});

test('the page has its command, its circumstances, and a table for each section', () => {
  const page = renderPage({
    title: 'Benchmark',
    command: 'npm run bench',
    circumstances: ['a machine', 'a source'],
    sections: [section(0.5)],
  });
  expect(page).toContain(
    '```\nnpm run bench\n```\n\n- a machine\n- a source\n\n## build\n\nBuilt.\n\n| image | ratio |\n| --- | --- |\n',
  );
  expect(page).toContain('| one | 0.50 (≤ 0.60: holds) |\n');
});

test('seconds have the fastest and the slowest run beside them', () => {
  expect(seconds({ median: 1.234, from: 1, to: 2.5 })).toBe('1.23 s (1.00–2.50)');
});
