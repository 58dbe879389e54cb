// Private keys encrypted by a passphrase: PKCS#8's EncryptedPrivateKeyInfo (RFC 5958) with PBES2 (RFC 8018), made so that it
// costs much to try passphrases, and read for what it costs. Opening one is left to node:crypto.
//
// PBKDF2 with HMAC-SHA-256, since OpenSSL opens it everywhere: scrypt of a cost that would be worth it needs more memory
// than OpenSSL allows a key, and is refused in FIPS mode. Node's own export takes 2,048 rounds, and no other number.
import { createCipheriv, pbkdf2Sync, randomBytes, type KeyObject } from 'node:crypto';
import { der, derInteger, derValues, INTEGER, NULL, OCTETS, OID, SEQUENCE, type DerValue } from './der.ts';

/** Rounds of PBKDF2: OWASP's number for HMAC-SHA-256 (2023). Opening a key takes about a fifth of a second. */
export const PBKDF2_ROUNDS = 600_000;

const PBES2 = oid('06092a864886f70d01050d');
const PBKDF2 = oid('06092a864886f70d01050c');
const HMAC_SHA256 = oid('06082a864886f70d0209');
const AES_256_CBC = oid('060960864801650304012a');
const SCRYPT = oid('06092b06010401da47040b');
/** N times r of what `openssl pkcs8 -scrypt` takes: 16 MiB. */
const SCRYPT_COST = 16_384 * 8;

/** EncryptedPrivateKeyInfo of a private key. */
export function encryptKey(key: KeyObject, passphrase: string): Buffer {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(passphrase, salt, PBKDF2_ROUNDS, 32, 'sha256'), iv);
  const plain = key.export({ type: 'pkcs8', format: 'der' });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  plain.fill(0);
  const parameters = der(SEQUENCE, der(OCTETS, salt), derInteger(PBKDF2_ROUNDS), der(SEQUENCE, HMAC_SHA256, NULL));
  const scheme = der(SEQUENCE, der(SEQUENCE, PBKDF2, parameters), der(SEQUENCE, AES_256_CBC, der(OCTETS, iv)));
  return der(SEQUENCE, der(SEQUENCE, PBES2, scheme), der(OCTETS, encrypted));
}

/**
 * Why passphrases of a key can be tried too fast, as the rest of a sentence about the key; undefined where they cannot.
 * @param encrypted EncryptedPrivateKeyInfo
 */
export function weaknessOf(encrypted: Buffer): string | undefined {
  const [algorithm] = within(derValues(encrypted)?.[0]);
  const [scheme, parameters] = within(algorithm);
  const [derivation] = within(parameters);
  const [name, cost] = within(derivation);
  const outdated = 'is encrypted in an outdated way';
  if (!is(scheme, PBES2)) return outdated;
  const numbers = within(cost)
    .filter(({ tag }) => tag === INTEGER)
    .map(numberOf);
  const [first = 0, second = 0] = numbers;
  if (is(name, SCRYPT)) return first * second >= SCRYPT_COST ? undefined : 'is guarded by too little scrypt';
  if (!is(name, PBKDF2)) return outdated;
  return first >= PBKDF2_ROUNDS
    ? undefined
    : `is guarded by ${first} rounds of PBKDF2, and should be by ${PBKDF2_ROUNDS}`;
}

function within(value: DerValue | undefined): readonly DerValue[] {
  return (value?.tag === SEQUENCE ? derValues(value.content) : undefined) ?? [];
}

function is(value: DerValue | undefined, expected: Buffer): boolean {
  return value?.tag === OID && expected.subarray(2).equals(value.content);
}

/** More than 48 bits count as the largest number. */
function numberOf({ content }: DerValue): number {
  if (content.byteLength > 6) return Number.MAX_SAFE_INTEGER;
  return content.byteLength === 0 ? 0 : content.readUIntBE(0, content.byteLength);
}

function oid(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
