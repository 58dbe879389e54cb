// Signatures, checked strictly: one signature has one encoding. ECDSA and RSA (PKCS#1 v1.5) sign the SHA-256 of the bytes,
// as `openssl dgst -sha256` and cosign do; Ed25519 signs the bytes.
import { constants, sign, verify, type KeyObject } from 'node:crypto';
import type { KeyAlgorithm, PublicKey } from './public-key.ts';

/** The order of the group of P-256 (FIPS 186-4, D.1.2.3). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Whether `signature` (canonical base64 in one line) was made over `bytes`; malformed is false, never a throw. */
export function verifySignature(key: PublicKey, bytes: Uint8Array, signature: string): boolean {
  const raw = decodeBase64(signature);
  if (!raw || !isWellFormed(key, raw)) return false;
  return verify(hashOf(key.algorithm), bytes, withPadding(key.keyObject, key.algorithm), raw);
}

/** Raw signature bytes. */
export function signBytes(key: KeyObject, algorithm: KeyAlgorithm, bytes: Uint8Array): Buffer {
  return sign(hashOf(algorithm), bytes, withPadding(key, algorithm));
}

/** Base64 with its padding, no white space, no stray bits; undefined for anything else. */
export function decodeBase64(text: string): Buffer | undefined {
  const raw = Buffer.from(text, 'base64');
  return raw.byteLength > 0 && raw.toString('base64') === text ? raw : undefined;
}

function hashOf(algorithm: KeyAlgorithm): string | null {
  return algorithm === 'ed25519' ? null : 'sha256';
}

function withPadding(key: KeyObject, algorithm: KeyAlgorithm): KeyObject | { key: KeyObject; padding: number } {
  return algorithm === 'rsa' ? { key, padding: constants.RSA_PKCS1_PADDING } : key;
}

function isWellFormed(key: PublicKey, raw: Buffer): boolean {
  switch (key.algorithm) {
    case 'ed25519':
      return raw.byteLength === 64;
    case 'rsa':
      return raw.byteLength === Math.ceil((key.keyObject.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
    case 'ecdsa-p256':
      return isStrictEcdsa(raw);
  }
}

/** DER (X.690): SEQUENCE of two INTEGERs, each minimal, positive and below the order, and nothing after. */
function isStrictEcdsa(der: Buffer): boolean {
  if (der[0] !== 0x30 || der[1] !== der.byteLength - 2 || der.byteLength > 72) return false;
  const r = integerAt(der, 2);
  const s = r && integerAt(der, r.end);
  return (
    s !== undefined &&
    s.end === der.byteLength &&
    [r, s].every((n) => n !== undefined && n.value > 0n && n.value < P256_ORDER)
  );
}

function integerAt(der: Buffer, at: number): { value: bigint; end: number } | undefined {
  const length = der[at + 1] ?? 0;
  const bytes = der.subarray(at + 2, at + 2 + length);
  if (der[at] !== 0x02 || length === 0 || bytes.byteLength !== length) return undefined;
  const [first = 0, second = 0] = bytes;
  const negative = first >= 0x80;
  const padded = length > 1 && first === 0 && second < 0x80;
  return negative || padded ? undefined : { value: BigInt(`0x${bytes.toString('hex')}`), end: at + 2 + length };
}
