// Private keys on disk: who can read them, what guards them, and changing that.
import { createPrivateKey } from 'node:crypto';
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allCommands, createProgram } from '../../src/cli/run.ts';
import { parsePrivateKey } from '../../src/signing/private-key.ts';
import { cli } from '../support/cli.ts';
import { testIo } from '../support/io.ts';
import { dialogue, KEYS } from '../support/terminal.ts';

const OLD = 'correct horse battery';
const NEW = 'staple, and another';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-keygen-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);
const read = (name: string) => readFile(path(name), 'utf8');
const run = (...argv: string[]) => cli(argv, { cwd: folder });
const runWith = (env: Record<string, string>, ...argv: string[]) => cli(argv, { cwd: folder, env });
const keygen = (env: Record<string, string>, ...argv: string[]) => runWith(env, 'keygen', ...argv);
const modeOf = async (name: string) => (await stat(path(name))).mode & 0o777;

/** As older releases made it. */
async function writeOldKey(name: string, passphrase = OLD): Promise<void> {
  await run('keygen', '--out', 'plain', '--no-passphrase');
  const key = createPrivateKey(await read('plain/airgap.key'));
  const pem = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
  await writeFile(path(name), pem, { mode: 0o600 });
}

describe('a new passphrase', () => {
  test.each([
    ['empty, in a file', ''],
    ['one character', 'x'],
    ['five characters', 'fives'],
    ['five characters of more bytes', 'fïvés'],
  ])('that is %s is refused, and no key is made', async (_case, passphrase) => {
    await writeFile(path('passphrase'), `${passphrase}\n`);
    const result = await run('keygen', '--out', 'keys', '--passphrase-file', 'passphrase', '--json');
    expect(result.status).toBe(2);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: 'PASSPHRASE_WEAK' } });
    if (passphrase !== '') expect(result.stdout + result.stderr).not.toContain(passphrase.slice(1) || '"x"');
    expect(await readdir(folder)).toEqual(['passphrase']);
  });

  test('of twelve characters is taken, and a shorter one with a warning', async () => {
    const good = await keygen({ ECK_AIRGAP_PASSPHRASE: 'twelve chars' }, '--out', 'keys');
    expect([good.status, good.stderr]).toEqual([0, '']);
    const short = await keygen({ ECK_AIRGAP_PASSPHRASE: 'élevenchars' }, '--out', 'others');
    expect([short.status, short.stderr]).toEqual([
      0,
      expect.stringMatching(/^Warning: .* has 11 characters.*12 or more/),
    ]);
  });

  test('that is too short is said at the prompt, which asks on', async () => {
    const { status, screen } = await dialogue(['keygen', '--out', 'keys'], folder, [
      ['New passphrase', `short${KEYS.enter}`],
      ['shorter than 12', `${KEYS.clearLine}${OLD}${KEYS.enter}`],
      ['The same again', `${OLD}${KEYS.enter}`],
    ]);
    expect(status).toBe(0);
    expect(screen).not.toContain(OLD);
    parsePrivateKey(await read('keys/airgap.key'), { where: 'k', passphrase: OLD });
  });
});

describe('keygen --change-passphrase', () => {
  const change = (env: Record<string, string>, ...more: string[]) => keygen(env, '--change-passphrase', 'key', ...more);
  const both = { ECK_AIRGAP_PASSPHRASE: OLD, ECK_AIRGAP_NEW_PASSPHRASE: NEW };

  test('a key of 2,048 rounds still opens, with a warning that names the command that mends it', async () => {
    await writeOldKey('key');
    const before = await keygen({ ECK_AIRGAP_PASSPHRASE: OLD }, '--card', 'key');
    expect(before.status).toBe(0);
    expect(before.stderr).toContain('2048 rounds');
    expect(before.stderr).toContain(`keygen --change-passphrase ${path('key')}`);
    expect((await change(both)).status).toBe(0);
    const after = await keygen({ ECK_AIRGAP_PASSPHRASE: NEW }, '--card', 'key');
    expect(after).toMatchObject({ status: 0, stdout: before.stdout, stderr: '' });
  });

  test('leaves the same key, of its owner alone, and nothing beside it', async () => {
    await writeOldKey('key');
    await rm(path('plain'), { recursive: true });
    const old = parsePrivateKey(await read('key'), { where: 'k', passphrase: OLD });
    const result = await change(both);
    expect(result.stdout + result.stderr).not.toMatch(new RegExp(`${OLD}|${NEW}`));
    const now = parsePrivateKey(await read('key'), { where: 'k', passphrase: NEW });
    expect(now.publicKey.fingerprint).toBe(old.publicKey.fingerprint);
    expect(now.weakness).toBeUndefined();
    expect(await modeOf('key')).toBe(0o600);
    expect(await readdir(folder)).toEqual(['key']);
  });

  test.each([
    ['a wrong old passphrase', { ...both, ECK_AIRGAP_PASSPHRASE: `${OLD}!` }, 'PASSPHRASE_WRONG'],
    ['a new passphrase that is too short', { ...both, ECK_AIRGAP_NEW_PASSPHRASE: 'short' }, 'PASSPHRASE_WEAK'],
    ['no new passphrase', { ECK_AIRGAP_PASSPHRASE: OLD }, 'PASSPHRASE_REQUIRED'],
    ['no old passphrase', { ECK_AIRGAP_NEW_PASSPHRASE: NEW }, 'PASSPHRASE_REQUIRED'],
  ])('%s leaves the file as it is', async (_case, env, code) => {
    await writeOldKey('key');
    const before = await read('key');
    const result = await change(env);
    expect(result.status).toBe(2);
    expect(result.stderr).toContain(`[${code}]`);
    expect(await read('key')).toBe(before);
  });

  test('follows a link, and leaves it one', async () => {
    await writeOldKey('real');
    await symlink('real', path('key'));
    expect((await change(both)).status).toBe(0);
    expect((await lstat(path('key'))).isSymbolicLink()).toBe(true);
    parsePrivateKey(await read('real'), { where: 'k', passphrase: NEW });
  });

  test('encrypts a key in the clear, and with --no-passphrase leaves one so', async () => {
    await run('keygen', '--out', '.', '--no-passphrase');
    await writeFile(path('new'), `${NEW}\r\n`);
    const args = ['keygen', '--change-passphrase', 'airgap.key'];
    expect((await run(...args, '--new-passphrase-file', 'new')).status).toBe(0);
    parsePrivateKey(await read('airgap.key'), { where: 'k', passphrase: NEW });
    expect((await runWith({ ECK_AIRGAP_PASSPHRASE: NEW }, ...args, '--no-passphrase')).status).toBe(0);
    expect(await read('airgap.key')).toContain('-----BEGIN PRIVATE KEY-----');
  });
});

describe('keygen --card', () => {
  test('prints the card that keygen wrote, from the public key or the private one', async () => {
    await keygen({ ECK_AIRGAP_PASSPHRASE: OLD }, '--out', '.');
    const card = await read('trust-card.txt');
    expect((await run('keygen', '--card', 'airgap.pub')).stdout).toBe(card);
    expect((await keygen({ ECK_AIRGAP_PASSPHRASE: OLD }, '--card', 'airgap.key')).stdout).toBe(card);
    const { stdout } = await run('keygen', '--card', 'airgap.pub', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ card, algorithm: 'ecdsa-p256' });
  });

  test('is not asked for together with another command', async () => {
    const result = await run('keygen', '--card', 'a', '--change-passphrase', 'b');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('[USAGE]');
  });
});

describe('a private key that others can read', () => {
  beforeEach(() => run('keygen', '--out', '.', '--no-passphrase'));
  const card = (...more: string[]) => run('keygen', '--card', 'airgap.key', ...more);

  test.each(['644', '640', '604', '660'])('is refused with mode %s, and the hint is chmod', async (mode) => {
    await chmod(path('airgap.key'), Number.parseInt(mode, 8));
    const result = await card();
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('[KEY_EXPOSED]');
    expect(result.stderr).toContain(`chmod 600 ${path('airgap.key')}`);
  });

  test('is refused by build before anything is fetched', async () => {
    await chmod(path('airgap.key'), 0o644);
    await writeFile(path('airgap.yaml'), JSON.stringify(SPEC));
    const result = await run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media');
    expect(result.stderr).toContain('[KEY_EXPOSED]');
    expect(await readdir(folder)).not.toContain('media');
  });

  test('is used with --allow-readable-key, and a warning', async () => {
    await chmod(path('airgap.key'), 0o644);
    const result = await card('--allow-readable-key');
    expect(result.status).toBe(0);
    expect(result.stderr).toContain('mode 644');
  });

  test('is refused behind a link too, and a link to one that is private is none', async () => {
    await symlink('airgap.key', path('link'));
    expect((await run('keygen', '--card', 'link')).status).toBe(0);
    await chmod(path('airgap.key'), 0o644);
    expect((await run('keygen', '--card', 'link')).stderr).toContain('[KEY_EXPOSED]');
  });

  test('of another owner is used with a warning, as a secret that is mounted has to be', async () => {
    await chmod(path('airgap.key'), 0o644);
    const result = await ownedBy((process.getuid?.() ?? 0) + 1);
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain('mode 644');
  });

  test('is no question where files have no modes (Windows)', async () => {
    await chmod(path('airgap.key'), 0o644);
    expect(await ownedBy(undefined)).toEqual({ status: 0, stderr: '' });
  });

  async function ownedBy(uid: number | undefined): Promise<{ status: number; stderr: string }> {
    const { run } = await import('../../src/cli/run.ts');
    const { io, stderr } = testIo({ cwd: folder, uid });
    return { status: await run(['keygen', '--card', 'airgap.key'], io), stderr: stderr() };
  }
});

test('no option takes a secret, which others could see among the arguments', async () => {
  const { commands } = createProgram(await allCommands(), testIo().io, () => undefined);
  const secret = /pass(?:word|phrase)|token|secret|credential/i;
  const taking = commands.flatMap(({ options }) => options).filter(({ required, optional }) => required || optional);
  const suspects = taking.filter(({ long }) => secret.test(long ?? '')).map(({ flags }) => flags);
  expect(suspects.filter((flags) => !/<(?:file|key)>$/.test(flags))).toEqual([]);
  expect(suspects).toContain('--passphrase-file <file>');
});

const SPEC = {
  apiVersion: 'eck-airgap/v1',
  kind: 'BundleSpec',
  metadata: { name: 'site-alpha' },
  images: ['registry.example/app:1.0'],
};
