// Text from outside in everything that is printed: names that were typed, files that were given, and what servers and manifests
// say. No command prints a line of somebody else's, or a character that a terminal would obey or hide; --json neither.
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { lineProgress } from '../../src/cli/progress.ts';
import { testIo } from '../support/io.ts';
import { journey, type Journey } from '../support/journey.ts';

const MARK = 'verified: all is well';
const HOSTILE = `x\n${MARK}\r\u001b[2J\u009b31m\u202egpj.\u2066\u200b\u2028\u0085\u007f`;
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

let site: Journey;
beforeAll(async () => {
  site = await journey();
  expect((await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media')).status).toBe(0);
  await writeFile(site.path('hostile.yaml'), JSON.stringify({ apiVersion: HOSTILE, kind: HOSTILE, [HOSTILE]: 1 }));
});
afterAll(() => site.end());

const KEY = ['--key', 'airgap.pub'];
const typed = HOSTILE.replaceAll('\0', '');

const commands: readonly (readonly string[])[] = [
  [typed],
  ['init', '--yes', '--name', typed],
  ['init', '--yes', '--component', typed, `${typed}.yaml`],
  ['keygen', '--card', typed],
  ['lock', 'hostile.yaml'],
  ['lock', typed],
  ['lock', 'airgap.yaml', '--platform', typed],
  ['build', 'airgap.yaml', '--key', typed, '--out', 'other'],
  ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'other', '--volume-size', typed],
  ['verify', typed, ...KEY],
  ['verify', 'media', '--key', typed],
  ['inspect', typed],
  ['inspect', 'media', '--closure', `--${typed}`],
  ['diff', typed, 'media'],
  ['export', 'media', typed, ...KEY],
  ['load', 'media', ...KEY, '--registry', typed],
  ['load', 'media', ...KEY, '--registry', 'r.example', '--flatten', typed],
  ['serve', 'media', ...KEY, '--listen', typed],
];

function expectHarmless(text: string, what: string): void {
  expect(text, what).not.toMatch(HIDDEN);
  expect(
    text.split('\n').filter((line) => line.trimStart().startsWith(MARK)),
    what,
  ).toEqual([]);
}

test.each(commands.map((words) => [words[0] === typed ? 'no command' : words.join(' ').slice(0, 40), words] as const))(
  'typed, or in a file: %j',
  async (what, words) => {
    for (const more of [[], ['--json'], ['-v']]) {
      const { status, stdout, stderr } = await site.run(...words, ...more);
      expect(status, what).not.toBe(0);
      expectHarmless(stdout, what);
      expectHarmless(stderr, what);
    }
  },
);

test.each([
  ['lock', (host: string) => ({ mirrors: { 'docker.elastic.co': `http://${host}` } }), ['lock', 'airgap.yaml']],
  ['load', () => ({}), ['load', 'media', ...KEY, '--registry']],
])('from a server: %s', async (_name, spec, words) => {
  const server = createServer((_request, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: HOSTILE, message: HOSTILE, detail: HOSTILE }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await site.writeSpec(spec(host));
  for (const more of [[], ['--json'], ['-v']]) {
    const { status, stdout, stderr } = await site.run(...words, ...(words[0] === 'load' ? [host] : []), ...more);
    expect(status).not.toBe(0);
    expect(stderr).toContain('verified');
    expectHarmless(stdout, words.join(' '));
    expectHarmless(stderr, words.join(' '));
  }
});

test('in what is under way, and done', () => {
  const { io, stderr } = testIo();
  const progress = lineProgress(io);
  progress.report({ type: 'phase', phase: `exporting ${HOSTILE}`, total: 10 });
  progress.report({ type: 'done', what: HOSTILE, detail: HOSTILE });
  expectHarmless(stderr(), 'progress');
  expect(stderr().split('\n')).toHaveLength(3);
});
