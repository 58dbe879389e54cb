import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateKeyPair, isEncrypted, parsePrivateKey, privateKeyPem } from '../../src/signing/private-key.ts';
import { parsePublicKey, type KeyAlgorithm } from '../../src/signing/public-key.ts';
import { keySigner } from '../../src/signing/signer.ts';
import { verifySignature } from '../../src/signing/signature.ts';
import { thrown } from '../support/thrown.ts';
import { haveTools } from '../support/tools.ts';

const ALGORITHMS: readonly KeyAlgorithm[] = ['ecdsa-p256', 'ed25519', 'rsa'];
const withOpenssl = test.skipIf(!haveTools('what openssl makes of our keys and signatures', 'openssl'));
const MESSAGE = Buffer.from('{"kind":"BundleManifest"}');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'eck-airgap-signing-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' }).toString();
}

describe.each(ALGORITHMS)('%s', (algorithm) => {
  const pair = generateKeyPair({ algorithm });
  const key = parsePrivateKey(pair.privatePem, { where: 'key' });

  test('signs what it verifies', async () => {
    const signature = await keySigner(key).sign(MESSAGE);
    expect(verifySignature(pair.publicKey, MESSAGE, signature)).toBe(true);
    expect(verifySignature(generateKeyPair({ algorithm }).publicKey, MESSAGE, signature)).toBe(false);
  });

  withOpenssl('openssl accepts its signatures, and we accept those of openssl', async () => {
    writeFileSync(join(folder, 'message'), MESSAGE);
    writeFileSync(join(folder, 'key.pem'), pair.privatePem);
    writeFileSync(join(folder, 'pub.pem'), pair.publicPem);
    writeFileSync(join(folder, 'ours.sig'), Buffer.from(await keySigner(key).sign(MESSAGE), 'base64'));
    const raw = algorithm === 'ed25519';
    expect(
      raw
        ? openssl(
            'pkeyutl',
            '-verify',
            '-pubin',
            '-inkey',
            'pub.pem',
            '-rawin',
            '-sigfile',
            'ours.sig',
            '-in',
            'message',
          )
        : openssl('dgst', '-sha256', '-verify', 'pub.pem', '-signature', 'ours.sig', 'message'),
    ).toMatch(/Verified OK|Verified Successfully/);
    if (raw) openssl('pkeyutl', '-sign', '-inkey', 'key.pem', '-rawin', '-in', 'message', '-out', 'theirs.sig');
    else openssl('dgst', '-sha256', '-sign', 'key.pem', '-out', 'theirs.sig', 'message');
    expect(verifySignature(pair.publicKey, MESSAGE, readFileSync(join(folder, 'theirs.sig')).toString('base64'))).toBe(
      true,
    );
  });

  withOpenssl('its fingerprint is the sha256 of the SPKI, as openssl computes it', () => {
    writeFileSync(join(folder, 'pub.pem'), pair.publicPem);
    openssl('pkey', '-pubin', '-in', 'pub.pem', '-outform', 'DER', '-out', 'pub.der');
    expect(openssl('dgst', '-sha256', 'pub.der')).toContain(pair.publicKey.fingerprint.slice('sha256:'.length));
  });
});

describe('private keys', () => {
  withOpenssl('are encrypted by the passphrase, in a form that openssl opens', () => {
    const pair = generateKeyPair({ passphrase: 'correct horse' });
    expect(isEncrypted(pair.privatePem)).toBe(true);
    writeFileSync(join(folder, 'encrypted.pem'), pair.privatePem);
    expect(openssl('pkey', '-in', 'encrypted.pem', '-passin', 'pass:correct horse', '-pubout')).toBe(pair.publicPem);
    expect(parsePrivateKey(pair.privatePem, { where: 'key', passphrase: 'correct horse' }).publicKey.fingerprint).toBe(
      pair.publicKey.fingerprint,
    );
  });

  test('that are encrypted need the right passphrase, which no message shows', () => {
    const { privatePem } = generateKeyPair({ passphrase: 'correct horse' });
    expect(thrown(() => parsePrivateKey(privatePem, { where: 'k' })).code).toBe('PASSPHRASE_REQUIRED');
    const wrong = thrown(() => parsePrivateKey(privatePem, { where: 'k', passphrase: 'battery staple' }));
    expect(wrong.code).toBe('PASSPHRASE_WRONG');
    expect(wrong.message).not.toContain('battery');
  });

  withOpenssl.each(ALGORITHMS)('of %s are guarded by 600,000 rounds of PBKDF2, and openssl opens them', (algorithm) => {
    const passphrase = 'corréct horse';
    const pair = generateKeyPair({ passphrase, algorithm });
    writeFileSync(join(folder, 'strong.pem'), pair.privatePem);
    expect(openssl('pkey', '-in', 'strong.pem', '-passin', `pass:${passphrase}`, '-pubout')).toBe(pair.publicPem);
    const structure = openssl('asn1parse', '-in', 'strong.pem');
    expect(structure).toMatch(/PBES2[^]+PBKDF2[^]+INTEGER +:0927C0[^]+hmacWithSHA256[^]+aes-256-cbc/);
    expect(parsePrivateKey(pair.privatePem, { where: 'k', passphrase }).weakness).toBeUndefined();
  });

  test('of one passphrase are encrypted otherwise each time', () => {
    const { keyObject } = parsePrivateKey(generateKeyPair().privatePem, { where: 'k' });
    expect(privateKeyPem(keyObject, 'correct horse')).not.toBe(privateKeyPem(keyObject, 'correct horse'));
  });

  withOpenssl.each([
    ['its default of 2,048 rounds', [], 'is guarded by 2048 rounds'],
    ['enough rounds', ['-iter', '600000'], undefined],
    ['scrypt', ['-scrypt'], undefined],
    ['little scrypt', ['-scrypt', '-scrypt_N', '1024'], 'scrypt'],
    ['PBES1', ['-v1', 'PBE-SHA1-3DES'], 'outdated'],
  ])('of openssl open with %s, and say how weak they are', (_case, how, weakness) => {
    const pair = generateKeyPair();
    writeFileSync(join(folder, 'plain.pem'), pair.privatePem);
    openssl('pkcs8', '-topk8', '-in', 'plain.pem', '-passout', 'pass:abcd', ...how, '-out', 'theirs.pem');
    const pem = readFileSync(join(folder, 'theirs.pem'), 'utf8');
    const found = parsePrivateKey(pem, { where: 'k', passphrase: 'abcd' });
    expect(found.publicKey.fingerprint).toBe(pair.publicKey.fingerprint);
    if (weakness === undefined) expect(found.weakness).toBeUndefined();
    else expect(found.weakness).toContain(weakness);
  });

  withOpenssl('of openssl are taken too', () => {
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'sec1.pem');
    openssl('pkcs8', '-topk8', '-in', 'sec1.pem', '-out', 'pkcs8.pem', '-passout', 'pass:abcd', '-v2', 'aes-256-cbc');
    const sec1 = parsePrivateKey(readFileSync(join(folder, 'sec1.pem'), 'utf8'), { where: 'sec1' });
    const pkcs8 = parsePrivateKey(readFileSync(join(folder, 'pkcs8.pem'), 'utf8'), {
      where: 'pkcs8',
      passphrase: 'abcd',
    });
    expect(pkcs8.publicKey.fingerprint).toBe(sec1.publicKey.fingerprint);
  });
});

describe('keys that are refused', () => {
  const good = generateKeyPair();
  const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey.export({
    type: 'spki',
    format: 'pem',
  }) as string;
  const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
    type: 'spki',
    format: 'pem',
  }) as string;
  test.each([
    ['a private key given as public', good.privatePem],
    ['another curve', p384],
    ['a short RSA key', rsa1024],
    ['two keys in one file', good.publicPem + good.publicPem],
    ['text before the key', `hello\n${good.publicPem}`],
    ['text after the key', `${good.publicPem}hello`],
    ['an empty line inside', good.publicPem.replace('\n', '\n\n')],
    ['a key of OpenSSH', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5 me@there'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['base64 with stray bits', good.publicPem.replace(/[A-Za-z0-9+/]=*\n-----END/, (end) => `_${end.slice(1)}`)],
    ['a label that does not match', good.publicPem.replace('END PUBLIC', 'END PRIVATE')],
    ['nothing', ''],
    ['a megabyte', 'A'.repeat(1024 * 1024)],
    ['a truncated key', good.publicPem.replace(/\n[^\n]+\n-----END/, '\n-----END')],
  ])('%s', (_case, pem) => {
    const error = thrown(() => parsePublicKey(pem, 'airgap.pub'));
    expect(error.code).toBe('KEY_INVALID');
    expect(error.message).toContain('airgap.pub');
  });

  test.each([
    ['line ends of Windows', (pem: string) => pem.replaceAll('\n', '\r\n')],
    ['line ends of an old Mac', (pem: string) => pem.replaceAll('\n', '\r')],
    ['a byte order mark', (pem: string) => `\ufeff${pem}`],
    ['empty lines before and after it', (pem: string) => `\n\n${pem}\n \n`],
    ['blanks at the ends of its lines', (pem: string) => pem.replaceAll('\n', ' \t\n')],
    ['no end of its last line', (pem: string) => pem.trim()],
  ])('%s are no fault', (_case, changed) => {
    expect(parsePublicKey(changed(good.publicPem), 'x').fingerprint).toBe(good.publicKey.fingerprint);
    const secret = generateKeyPair({ passphrase: 'correct horse' });
    const read = parsePrivateKey(changed(secret.privatePem), { where: 'x', passphrase: 'correct horse' });
    expect(read.publicKey.fingerprint).toBe(secret.publicKey.fingerprint);
  });

  test('a refusal says what is in the way', () => {
    const hint = (pem: string): string | undefined => thrown(() => parsePublicKey(pem, 'x')).hint;
    expect(hint(good.publicPem.repeat(2))).toContain('several blocks');
    expect(hint(`hello\n${good.publicPem}`)).toContain('before');
    expect(hint(`${good.publicPem}hello`)).toContain('follows');
    expect(hint(good.publicPem.replace('\n', '\n\n'))).toContain('empty lines');
  });

  test('a public key given as private', () => {
    expect(thrown(() => parsePrivateKey(good.publicPem, { where: 'airgap.key' })).code).toBe('KEY_INVALID');
  });
});
