// Texts that come from Windows, from editors and from pipes: taken where it is clear what is meant, else named.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePrivateKey } from '../../src/signing/private-key.ts';
import { cli } from '../support/cli.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-texts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (...argv: string[]) => cli(argv, { cwd: folder });
const PASSPHRASE = 'correct horse battery';
const SPEC = 'apiVersion: eck-airgap/v1\nkind: BundleSpec\nmetadata: {name: x}\nimages: [a.example/b:1]\n';

describe('a passphrase file', () => {
  test.each([
    ['a byte order mark', Buffer.from(`\ufeff${PASSPHRASE}`)],
    ['the line end of Windows', Buffer.from(`${PASSPHRASE}\r\n`)],
    ['empty lines after it', Buffer.from(`${PASSPHRASE}\n\n`)],
    ['UTF-16 for its encoding', Buffer.from(`\ufeff${PASSPHRASE}\r\n`, 'utf16le')],
  ])('with %s holds the passphrase', async (_case, bytes) => {
    await writeFile(join(folder, 'pass'), bytes);
    await run('keygen', '--out', 'keys', '--passphrase-file', 'pass');
    const key = await readFile(join(folder, 'keys/airgap.key'), 'utf8');
    parsePrivateKey(key, { where: 'key', passphrase: PASSPHRASE });
  });

  test('of two lines is refused by its name, not taken for a wrong passphrase', async () => {
    await writeFile(join(folder, 'pass'), `${PASSPHRASE}\nanother line\n`);
    const { status, stderr } = await run('keygen', '--out', 'keys', '--passphrase-file', 'pass');
    expect([status, stderr]).toEqual([2, expect.stringMatching(/pass holds more than one line.*\[CONFIG_INVALID\]/)]);
    expect(stderr).not.toContain('horse');
  });
});

test('a password of two lines on standard input is refused', async () => {
  await run('keygen', '--out', 'keys', '--no-passphrase');
  const argv = ['load', 'x.tar', '--key', 'keys/airgap.pub', '--registry', 'r.example', '--username', 'u'];
  const { status, stderr } = await cli([...argv, '--password-stdin'], { cwd: folder, stdin: 'one\ntwo\n' });
  expect([status, stderr]).toEqual([2, expect.stringContaining('[USAGE]')]);
});

describe('what a person names and is no regular file is refused at once', () => {
  const pipe = 'pipe.yaml';
  beforeEach(() => {
    execFileSync('mkfifo', [join(folder, pipe)]);
  });

  test.each([
    ['the specification', ['lock', pipe]],
    ['the certificate authorities', ['lock', 'airgap.yaml', '--ca-file', pipe]],
    ['a public key', ['verify', 'x.tar', '--key', pipe]],
    ['a private key', ['build', 'airgap.yaml', '--key', pipe, '--out', 'm']],
    ['a passphrase', ['keygen', '--out', 'keys', '--passphrase-file', pipe]],
    ['one side of a comparison', ['diff', pipe, pipe]],
  ])('%s', async (_case, argv) => {
    await writeFile(join(folder, 'airgap.yaml'), SPEC);
    const { status, stderr } = await run(...argv);
    expect([status, stderr]).toEqual([2, expect.stringContaining('[PATH_INVALID]')]);
  });

  test.each([
    ['a file', `files: [{path: ${pipe}, name: p}]`],
    ['a chart', `charts: [{path: ${pipe}}]`],
    ['a key', `signatures: {a.example: {key: ${pipe}}}`],
    ['a catalogue', `elastic: {eck: 3.5.0, catalogue: ${pipe}}`],
    ['a licence', `elastic: {eck: 3.5.0, licence: ${pipe}}`],
    ['a folder for a chart', 'charts: [{path: .}]'],
  ])('%s in airgap.yaml', async (_case, line) => {
    await writeFile(join(folder, 'airgap.yaml'), `${SPEC}${line}\nmirrors: {}\n`);
    const { status, stderr } = await run('lock', 'airgap.yaml', '--retries', '0');
    expect([status, stderr]).toEqual([2, expect.stringContaining('[PATH_INVALID]')]);
  });
});
