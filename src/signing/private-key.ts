// Private keys: PKCS#8 in PEM, encrypted by a passphrase unless that is refused.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { AirgapError } from '../core/errors.ts';
import { encryptKey, weaknessOf } from './encrypted-key.ts';
import { formatPem, singlePem } from './pem.ts';
import { algorithmOf, publicKeyOf, type KeyAlgorithm, type PublicKey } from './public-key.ts';

export interface PrivateKey {
  readonly keyObject: KeyObject;
  readonly publicKey: PublicKey;
  /** Why its passphrase can be found too fast by trying, as the rest of a sentence about the key. */
  readonly weakness?: string | undefined;
}

export interface PrivateKeyOptions {
  /** Names the key in messages. */
  readonly where: string;
  readonly passphrase?: string | undefined;
}

const ENCRYPTED = 'ENCRYPTED PRIVATE KEY';
/** PKCS#8, and the unencrypted forms that openssl makes of EC and RSA keys. */
const LABELS: readonly string[] = [ENCRYPTED, 'PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY'];

export function isEncrypted(pem: string): boolean {
  return pem.includes(`-----BEGIN ${ENCRYPTED}-----`);
}

/** @throws KEY_INVALID, PASSPHRASE_REQUIRED, PASSPHRASE_WRONG */
export function parsePrivateKey(text: string, { where, passphrase }: PrivateKeyOptions): PrivateKey {
  const { label, der } = singlePem(text, where);
  const pem = formatPem({ label, der });
  if (label === 'PUBLIC KEY')
    throw new AirgapError('KEY_INVALID', `${where} holds a public key where the private key belongs`, {
      hint: 'Pass airgap.key.',
    });
  if (!LABELS.includes(label)) throw new AirgapError('KEY_INVALID', `${where} holds a ${label}, not a PRIVATE KEY`);
  if (label === ENCRYPTED && passphrase === undefined)
    throw new AirgapError('PASSPHRASE_REQUIRED', `${where} is encrypted and no passphrase was given`);
  let keyObject: KeyObject;
  try {
    keyObject = createPrivateKey(
      label === ENCRYPTED && passphrase !== undefined ? { key: pem, passphrase } : { key: pem },
    );
  } catch (cause) {
    if (label === ENCRYPTED)
      throw new AirgapError('PASSPHRASE_WRONG', `the passphrase does not open ${where}`, {
        cause,
        hint: passphrase === passphrase?.trim() ? undefined : 'It begins or ends with a blank: is that meant?',
      });
    throw new AirgapError('KEY_INVALID', `${where} is not a private key that can be read`, { cause });
  }
  algorithmOf(keyObject, where);
  const weakness = label === ENCRYPTED ? weaknessOf(der) : undefined;
  return { keyObject, publicKey: publicKeyOf(createPublicKey(keyObject), where), weakness };
}

export interface KeyPair {
  readonly privatePem: string;
  readonly publicPem: string;
  readonly publicKey: PublicKey;
}

export interface KeyPairOptions {
  /** Encrypts the private key; without it the key is left in the clear. */
  readonly passphrase?: string | undefined;
  /** ECDSA P-256 by default. */
  readonly algorithm?: KeyAlgorithm;
}

export function generateKeyPair(options: KeyPairOptions = {}): KeyPair {
  const { publicKey, privateKey } = generate(options.algorithm ?? 'ecdsa-p256');
  const parsed = publicKeyOf(publicKey, 'the new key');
  return {
    privatePem: privateKeyPem(privateKey, options.passphrase),
    publicPem: parsed.pem,
    publicKey: parsed,
  };
}

/** @param passphrase encrypts it; without one it is left in the clear */
export function privateKeyPem(key: KeyObject, passphrase: string | undefined): string {
  if (passphrase === undefined) return key.export({ type: 'pkcs8', format: 'pem' }) as string;
  return formatPem({ label: ENCRYPTED, der: encryptKey(key, passphrase) });
}

function generate(algorithm: KeyAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  switch (algorithm) {
    case 'ecdsa-p256':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 3072 });
  }
}
