// Real terminals of any width, also one that says that it has none (a serial console, `ssh -tt` from a script): progress is
// bounded, and Ctrl-C ends the work.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM, start, type Started } from '../support/command-process.ts';
import { occasion, stallingDownloads, withServer } from '../support/stalling.ts';
import { journey, type Journey } from '../support/journey.ts';

const ON_TERMINAL = fileURLToPath(new URL('../support/on-terminal.py', import.meta.url));
const WIDTHS = [0, 1, 20, 60, 80, 300];

let site: Journey;
beforeAll(async () => {
  site = await journey();
  expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
});
afterAll(() => site.end());

const missing = hasPython() ? undefined : 'there is no python3 to open a terminal with';
if (missing !== undefined) console.warn(`terminal-width.test.ts is skipped: ${missing}`);

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function onTerminal(columns: number, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const words = ['python3', ON_TERMINAL, String(columns), ...PROGRAM, ...argv];
  return start(words, { cwd: site.folder, env: { TERM: 'xterm', ...env } });
}

/** Escape sequences but for colours. */
const MOVES = /\u001b\[[0-9;?]*[A-HJKhl]/;

describe.skipIf(missing !== undefined)('a terminal', () => {
  test.each(WIDTHS)('of %d columns gets bounded progress, and the result', async (columns) => {
    const argv = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', `media-${columns}`];
    const { status, stdout } = await onTerminal(columns, argv).ended;
    expect(status).toBe(0);
    expect(stdout).toContain('signed by');
    expect(stdout.length).toBeLessThan(50_000);
    expect(MOVES.test(stdout)).toBe(columns >= 20);
  });

  test.each(WIDTHS)('of %d columns ends the work with Ctrl-C', async (columns) => {
    const { reached, reach } = occasion();
    await withServer(stallingDownloads(site.upstream.store, reach), async ({ port }) => {
      await site.writeSpec({ mirrors: { 'docker.elastic.co': `http://127.0.0.1:${port}` } });
      const argv = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'never', '--cache', `cache-${columns}`];
      const { child, ended } = onTerminal(columns, argv);
      await Promise.race([reached, ended]);
      child.kill('SIGINT');
      const { status, stdout } = await ended;
      expect(status).toBe(130);
      expect(stdout).toContain('[INTERRUPTED]');
      expect(stdout.length).toBeLessThan(50_000);
    });
  });

  test.each([
    ['TERM=dumb', { TERM: 'dumb' }],
    ['CI', { CI: 'true' }],
  ])('with %s gets lines', async (_name, env) => {
    const { status, stdout } = await onTerminal(80, ['verify', 'media-80', '--key', 'airgap.pub'], env).ended;
    expect(status).toBe(0);
    expect(stdout).not.toMatch(MOVES);
  });

  test('with NO_COLOR, or TERM=dumb, gets no colours', async () => {
    const coloured = await onTerminal(80, ['verify', 'nothing']).ended;
    expect(coloured.stdout).toContain('\u001b[31mError:');
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      const plain = await onTerminal(80, ['verify', 'nothing'], env).ended;
      expect(plain.stdout).toContain('Error: nothing');
      expect(plain.stdout).not.toContain('\u001b[3');
    }
  });

  test.each([0, 80])('of %d columns shows the help', async (columns) => {
    const { status, stdout } = await onTerminal(columns, ['lock', '--help']).ended;
    expect(status).toBe(0);
    expect(Math.max(...stdout.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});
