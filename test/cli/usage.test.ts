// What a person can type wrong, and keygen.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePrivateKey } from '../../src/signing/private-key.ts';
import { cli } from '../support/cli.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-cli-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (...argv: string[]) => cli(argv, { cwd: folder });
const read = (name: string) => readFile(join(folder, name), 'utf8');

describe('usage', () => {
  test.each([
    ['flags without a command', [], 'USAGE'],
    ['an unknown command', ['lod'], 'USAGE'],
    ['an unknown option', ['verify', 'x', '--kee', 'y'], 'USAGE'],
    ['a missing argument', ['verify'], 'USAGE'],
    ['a missing value', ['verify', 'x', '--key'], 'USAGE'],
    ['no --registry', ['load', 'x', '--key', 'y'], 'USAGE'],
    ['a registry with a scheme', ['load', 'x', '--key', 'y', '--registry', 'https://r.example'], 'REFERENCE_INVALID'],
    ['a volume size that is none', ['build', 'a.yaml', '--key', 'k', '--out', 'm', '--volume-size', 'big'], 'USAGE'],
    ['retries that are no number', ['lock', 'a.yaml', '--retries', '-1'], 'USAGE'],
    ['two ways to sign', ['build', 'a.yaml', '--key', 'k', '--signer', 's', '--out', 'm'], 'USAGE'],
    ['a signer without its public key', ['build', 'a.yaml', '--signer', 's', '--out', 'm'], 'USAGE'],
    [
      'a username without a password',
      ['load', 'x', '--key', 'k.pub', '--registry', 'r.example', '--username', 'u'],
      'USAGE',
    ],
    ['an address that is none', ['serve', 'x', '--key', 'k.pub', '--listen', 'everywhere'], 'USAGE'],
    ['half of TLS', ['serve', 'x', '--key', 'k.pub', '--tls-cert', 'c.pem'], 'USAGE'],
    ['a specification that is not there', ['lock', 'nothing.yaml'], 'FILE_NOT_FOUND'],
    ['a key that is not there', ['verify', '.', '--key', 'nothing.pub'], 'FILE_NOT_FOUND'],
  ])('%s is exit 2, in one JSON document with --json', async (_case, argv, code) => {
    await writeFile(
      join(folder, 'a.yaml'),
      'apiVersion: eck-airgap/v1\nkind: BundleSpec\nmetadata: {name: x}\nimages: [a.example/b:1]\n',
    );
    await run('keygen', '--out', 'keys', '--no-passphrase');
    await writeFile(join(folder, 'k.pub'), await read('keys/airgap.pub'));
    await writeFile(join(folder, 'x.tar'), '');
    const typed = argv.map((word) => (word === 'x' ? 'x.tar' : word));
    const result = await run(...typed.slice(0, 1), '--json', ...typed.slice(1));
    expect(result.status).toBe(2);
    expect((JSON.parse(result.stdout) as { error: { code: string } }).error.code).toBe(code);
    expect(result.stderr).not.toMatch(/^ +at /m);
  });

  test('a mistyped command is answered with the one that was meant', async () => {
    expect((await run('verfy')).stderr).toContain('verify');
  });

  test('help and version are exit 0, on stdout', async () => {
    for (const argv of [['--help'], ['--version'], ['load', '--help']]) {
      const result = await run(...argv);
      expect([result.status, result.stderr]).toEqual([0, '']);
      expect(result.stdout).not.toBe('');
    }
    expect((await run('load', '--help')).stdout).toContain('Example:');
  });

  test.each([[[]], [['help']], [['help', 'build']]])('%j shows the help, with exit 0', async (argv) => {
    const asked = await run(...argv);
    expect(asked).toMatchObject({ status: 0, stderr: '' });
    expect(asked.stdout).toBe((await run(...argv.slice(1), '--help')).stdout);
  });

  test.each([
    ['a command', ['help', 'biuld'], 'build'],
    ['a command', ['biuld', 'a.yaml'], 'build'],
    ['an option, where a required one is missing', ['build', 'a.yaml', '--kee', 'k'], '--key'],
    ['an option, where an argument is missing', ['verify', '--kee', 'k'], '--key'],
    ['the required option itself', ['load', 'x', '--registri', 'r'], '--registry'],
  ])('%s that is mistyped is answered with the one that was meant: %j', async (_what, argv, meant) => {
    const { status, stderr } = await run(...argv);
    expect(status).toBe(2);
    expect(stderr).toContain(`Did you mean ${meant}?`);
  });

  test('a required option that is missing is named, when all else is understood', async () => {
    expect((await run('build', 'a.yaml')).stderr).toMatch(/--out <dir>.*\[USAGE\]/);
  });

  test('a file that is no bundle is corrupt, an empty folder holds none', async () => {
    await run('keygen', '--out', 'keys', '--no-passphrase');
    await writeFile(join(folder, 'zeros.tar'), Buffer.alloc(100_000));
    await writeFile(join(folder, 'empty.tar'), '');
    for (const name of ['zeros.tar', 'empty.tar'])
      expect((await run('verify', name, '--key', 'keys/airgap.pub')).status, name).toBe(3);
    for (const name of ['zeros.tar', 'empty.tar']) expect((await run('inspect', name)).status, name).toBe(3);
    expect((await run('verify', '.', '--key', 'keys/airgap.pub')).stderr).toContain('several bundles');
    expect((await run('verify', 'keys', '--key', 'keys/airgap.pub')).stderr).toContain('there is no bundle');
  });
});

describe('keygen', () => {
  test('writes a key only its owner reads, encrypted by the passphrase of the environment', async () => {
    const result = await cli(['keygen', '--out', 'keys'], {
      cwd: folder,
      env: { ECK_AIRGAP_PASSPHRASE: 'correct horse' },
    });
    expect(result.status).toBe(0);
    expect((await stat(join(folder, 'keys/airgap.key'))).mode & 0o777).toBe(0o600);
    const key = parsePrivateKey(await read('keys/airgap.key'), { where: 'k', passphrase: 'correct horse' });
    expect(key.publicKey.pem).toBe(await read('keys/airgap.pub'));
    expect(await read('keys/trust-card.txt')).toContain(await read('keys/airgap.pub'));
    expect(result.stdout + result.stderr).not.toContain('horse');
  });

  test('takes the passphrase from a file, whose end of line does not count', async () => {
    await writeFile(join(folder, 'pass'), 'correct horse\n');
    await run('keygen', '--out', 'keys', '--passphrase-file', 'pass');
    parsePrivateKey(await read('keys/airgap.key'), { where: 'k', passphrase: 'correct horse' });
  });

  test('without a terminal and without a passphrase says what to do', async () => {
    const result = await run('keygen', '--out', 'keys');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('[PASSPHRASE_REQUIRED]');
    expect(result.stderr).toContain('--passphrase-file');
    await expect(stat(join(folder, 'keys'))).rejects.toThrow();
  });

  test('never overwrites a key', async () => {
    await run('keygen', '--out', 'keys', '--no-passphrase');
    const before = await read('keys/airgap.key');
    const again = await run('keygen', '--out', 'keys', '--no-passphrase');
    expect([again.status, await read('keys/airgap.key')]).toEqual([2, before]);
  });
});
