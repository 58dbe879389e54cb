// Public keys: ECDSA P-256, Ed25519 or RSA, as PEM (SubjectPublicKeyInfo). Their identity is the sha256 of the SPKI bytes.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { AirgapError } from '../core/errors.ts';
import { singlePem } from './pem.ts';

export type KeyAlgorithm = 'ecdsa-p256' | 'ed25519' | 'rsa';

export interface PublicKey {
  /** `sha256:` and 64 hexadecimal digits, of the DER encoding of the SubjectPublicKeyInfo. */
  readonly fingerprint: string;
  readonly algorithm: KeyAlgorithm;
  readonly pem: string;
  readonly keyObject: KeyObject;
}

/** Smaller RSA keys are refused (NIST SP 800-131A). */
const MIN_RSA_BITS = 2048;

/** @param where names the key in messages. @throws KEY_INVALID */
export function parsePublicKey(pem: string, where: string): PublicKey {
  const block = singlePem(pem, where);
  if (block.label.endsWith('PRIVATE KEY')) {
    throw new AirgapError('KEY_INVALID', `${where} holds a private key where a public key belongs`, {
      hint: 'A private key stays on the connected side. Pass airgap.pub.',
    });
  }
  if (block.label !== 'PUBLIC KEY')
    throw new AirgapError('KEY_INVALID', `${where} holds a ${block.label}, not a PUBLIC KEY`);
  let keyObject: KeyObject;
  try {
    keyObject = createPublicKey({ key: block.der, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new AirgapError('KEY_INVALID', `${where} is not a public key that can be read`, { cause });
  }
  return publicKeyOf(keyObject, where);
}

/** @throws KEY_INVALID for an algorithm that is not accepted */
export function publicKeyOf(keyObject: KeyObject, where: string): PublicKey {
  const der = keyObject.export({ type: 'spki', format: 'der' });
  return {
    fingerprint: `sha256:${createHash('sha256').update(der).digest('hex')}`,
    algorithm: algorithmOf(keyObject, where),
    pem: keyObject.export({ type: 'spki', format: 'pem' }) as string,
    keyObject,
  };
}

/** The accepted algorithm of a public or private key. @throws KEY_INVALID */
export function algorithmOf(keyObject: KeyObject, where: string): KeyAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = keyObject;
  if (type === 'ed25519') return 'ed25519';
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ecdsa-p256';
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return 'rsa';
  const found =
    type === 'ec'
      ? `an EC key on ${details?.namedCurve ?? 'an unknown curve'}`
      : type === 'rsa'
        ? `an RSA key of ${details?.modulusLength ?? 0} bits`
        : `a ${type ?? 'unknown'} key`;
  throw new AirgapError(
    'KEY_INVALID',
    `${where} is ${found}; ECDSA P-256, Ed25519 and RSA of at least ${MIN_RSA_BITS} bits are accepted`,
  );
}
