// The checks of the trust card, as it prints them, for each kind of key. In front of real media: test/cli/trust-card.test.ts.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { confirmsGroup, fingerprintGroups } from '../../src/signing/fingerprint.ts';
import { generateKeyPair, type KeyPair } from '../../src/signing/private-key.ts';
import { formatSums } from '../../src/signing/sums.ts';
import { trustCard } from '../../src/signing/trust-card.ts';
import { cardCommands } from '../support/card-commands.ts';
import { signerOf } from '../support/signer.ts';
import { haveTools } from '../support/tools.ts';

const PROGRAM = process.arch === 'arm64' ? 'eck-airgap-linux-arm64' : 'eck-airgap-linux-x64';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eck-airgap-card-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe
  .skipIf(!haveTools('the commands of the trust card', 'sh', 'openssl', 'base64', 'sha256sum'))
  .each(['ecdsa-p256', 'ed25519', 'rsa'] as const)('with a key of %s', (algorithm) => {
  const pair = generateKeyPair({ algorithm });
  const card = trustCard(pair.publicKey);

  async function media(): Promise<void> {
    const installer = Buffer.from('an installer');
    writeFileSync(join(folder, PROGRAM), installer);
    const sums = formatSums([{ name: PROGRAM, sha256: createHash('sha256').update(installer).digest('hex') }]);
    writeFileSync(join(folder, 'SHA256SUMS'), sums);
    writeFileSync(join(folder, 'SHA256SUMS.sig'), `${await sign(pair, Buffer.from(sums))}\n`);
    const [pem = ''] = /-----BEGIN[\s\S]+END PUBLIC KEY-----\n/.exec(card) ?? [];
    writeFileSync(join(folder, 'airgap.pub'), pem);
  }

  test('the commands say yes to what was signed', async () => {
    await media();
    const { status, stdout } = run(card);
    expect(status).toBe(0);
    expect(stdout).toContain(pair.publicKey.fingerprint.slice('sha256:'.length));
    expect(stdout).toContain(`${PROGRAM}: OK`);
  });

  test('a changed installer is noticed', async () => {
    await media();
    appendFileSync(join(folder, PROGRAM), 'x');
    expect(run(card).status).not.toBe(0);
  });

  test('a changed list of sums is noticed', async () => {
    await media();
    appendFileSync(join(folder, 'SHA256SUMS'), '\n');
    expect(run(card).status).not.toBe(0);
  });

  test('a list signed by another key is noticed', async () => {
    await media();
    const other = generateKeyPair({ algorithm });
    const sums = execFileSync('cat', ['SHA256SUMS'], { cwd: folder });
    writeFileSync(join(folder, 'SHA256SUMS.sig'), `${await sign(other, sums)}\n`);
    expect(run(card).status).not.toBe(0);
  });
});

test('a card is plain ASCII in at most 76 columns', () => {
  for (const line of trustCard(generateKeyPair({ algorithm: 'rsa' }).publicKey).split('\n'))
    expect(line).toMatch(/^[\x20-\x7e]{0,76}$/);
});

test('a fingerprint is read in groups, and typed without regard to case and blanks', () => {
  const { fingerprint } = generateKeyPair().publicKey;
  const groups = fingerprintGroups(fingerprint);
  expect(`sha256:${groups.join('')}`).toBe(fingerprint);
  expect(groups).toHaveLength(16);
  expect(confirmsGroup(fingerprint, 3, ` ${groups[3]?.toUpperCase() ?? ''} `)).toBe(true);
  expect(confirmsGroup(fingerprint, 3, 'zzzz')).toBe(false);
  expect(confirmsGroup(fingerprint, 16, '')).toBe(false);
});

async function sign(pair: KeyPair, bytes: Buffer): Promise<string> {
  return signerOf(pair.privatePem).sign(bytes);
}

/** The commands of the card, each as printed, in one shell; ends with the first that fails. */
function run(card: string): { status: number | null; stdout: string } {
  const [media = '', key = '', ...checks] = cardCommands(card).steps.slice(0, 5);
  return spawnSync('sh', ['-ec', [media, key, ...checks].join('')], {
    env: { PATH: process.env['PATH'], TMPDIR: folder },
    input: `${folder}\n${join(folder, 'airgap.pub')}\n`,
    encoding: 'utf8',
  });
}
