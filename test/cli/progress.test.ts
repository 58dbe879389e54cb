import { expect, test } from 'vitest';
import { formatBytes } from '../../src/cli/format.ts';
import { lineProgress } from '../../src/cli/progress.ts';
import { testIo } from '../support/io.ts';

test('without a terminal progress is a line every few seconds, with what is left', () => {
  const { io, stderr, advance } = testIo();
  const progress = lineProgress(io);
  progress.report({ type: 'phase', phase: 'fetching', total: 100 * 1024 });
  progress.report({ type: 'progress', bytes: 10 * 1024 });
  advance(5000);
  progress.report({ type: 'progress', bytes: 15 * 1024 });
  progress.report({ type: 'progress', bytes: 1024 });
  expect(stderr().split('\n')).toEqual(['fetching: 100 KiB', 'fetching: 25 % of 100 KiB, 5.00 KiB/s, 15 s left', '']);
});

test('it never claims more than there is, and never goes back', () => {
  const { io, stderr, advance } = testIo();
  const progress = lineProgress(io);
  progress.report({ type: 'phase', phase: 'pushing', total: 10 });
  for (let i = 0; i < 4; i++) {
    advance(5000);
    progress.report({ type: 'progress', bytes: 4 });
  }
  const percents = [...stderr().matchAll(/([0-9]+) %/g)].map((match) => Number(match[1]));
  expect(percents).toEqual([...percents].sort((a, b) => a - b));
  expect(Math.max(...percents)).toBe(100);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [1023 * 1024, '0.999 MiB'],
  [4 * 1024 ** 2, '4.00 MiB'],
  [1.5 * 1024 ** 3, '1.50 GiB'],
  [5 * 1024 ** 5, '5120 TiB'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
