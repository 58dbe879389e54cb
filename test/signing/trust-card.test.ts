// Every command on the trust card is run as it is printed, by sh, with the system's own tools.
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
import { signerOf } from '../support/signer.ts';
import { haveTools } from '../support/tools.ts';

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
    writeFileSync(join(folder, 'eck-airgap-linux-x64'), installer);
    const sums = formatSums([
      { name: 'eck-airgap-linux-x64', sha256: createHash('sha256').update(installer).digest('hex') },
    ]);
    writeFileSync(join(folder, 'SHA256SUMS'), sums);
    writeFileSync(join(folder, 'SHA256SUMS.sig'), `${await sign(pair, Buffer.from(sums))}\n`);
    const [pem = ''] = /-----BEGIN[\s\S]+END PUBLIC KEY-----\n/.exec(card) ?? [];
    writeFileSync(join(folder, 'airgap.pub'), pem);
  }

  test('the commands say yes to what was signed', async () => {
    await media();
    const output = run(card);
    expect(output.map(({ status }) => status)).toEqual(output.map(() => 0));
    expect(output.map(({ stdout }) => stdout).join('')).toContain(pair.publicKey.fingerprint.slice('sha256:'.length));
    expect(output.at(-1)?.stdout).toContain('eck-airgap-linux-x64: OK');
  });

  test('a changed installer is noticed', async () => {
    await media();
    appendFileSync(join(folder, 'eck-airgap-linux-x64'), 'x');
    expect(run(card).some(({ status }) => status !== 0)).toBe(true);
  });

  test('a changed list of sums is noticed', async () => {
    await media();
    appendFileSync(join(folder, 'SHA256SUMS'), '\n');
    expect(run(card).some(({ status }) => status !== 0)).toBe(true);
  });

  test('a list signed by another key is noticed', async () => {
    await media();
    const other = generateKeyPair({ algorithm });
    const sums = execFileSync('cat', ['SHA256SUMS'], { cwd: folder });
    writeFileSync(join(folder, 'SHA256SUMS.sig'), `${await sign(other, sums)}\n`);
    expect(run(card).some(({ status }) => status !== 0)).toBe(true);
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

/** The indented commands of the card's three steps, each as printed; temporary files go to the test's folder. */
function run(card: string): { status: number | null; stdout: string }[] {
  const steps = card.slice(card.indexOf('1. '), card.indexOf('Only then'));
  const commands = [...steps.matchAll(/(?:^ {2}(?! )[^\\\n]*(?:\\\n[^\\\n]*)*\n)+/gm)].map(([command]) =>
    command.replaceAll('/tmp/', `${folder}/`),
  );
  expect(commands).toHaveLength(3);
  return commands.map((command) => spawnSync('sh', ['-ec', command], { cwd: folder, encoding: 'utf8' }));
}
