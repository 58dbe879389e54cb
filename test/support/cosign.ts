// Signatures on images, really made, in both forms that cosign writes. They are written from the specifications, apart from
// src/signing/cosign.ts, so that maker and judge are not wrong in the same way.
import { canonicalJson } from '../../src/core/canonical-json.ts';
import {
  generateKeyPair,
  parsePrivateKey,
  type KeyPairOptions,
  type PrivateKey,
} from '../../src/signing/private-key.ts';
import { signBytes } from '../../src/signing/signature.ts';

export function newKey(options: KeyPairOptions = {}): PrivateKey {
  return parsePrivateKey(generateKeyPair(options).privatePem, { where: 'a key of the test' });
}

/** Base64. */
export function signatureOver(bytes: Uint8Array, { keyObject, publicKey }: PrivateKey): string {
  return signBytes(keyObject, publicKey.algorithm, bytes).toString('base64');
}

export function simpleSigningPayload(digest: string, type = 'cosign container image signature'): Buffer {
  return canonicalJson({
    critical: { identity: { 'docker-reference': '' }, image: { 'docker-manifest-digest': digest }, type },
    optional: null,
  });
}

/** The in-toto statement that `cosign sign` signs, or another. */
export function signedStatement(digest: string, changes: Readonly<Record<string, unknown>> = {}): Buffer {
  return canonicalJson({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: digest.replace('sha256:', '') } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
    ...changes,
  });
}

export interface EnvelopeChanges {
  /** The type that is signed. */
  readonly signedType?: string;
  /** Members of the envelope, in place of the right ones. */
  readonly envelope?: Readonly<Record<string, unknown>>;
  /** Members of the bundle, in place of the right ones. */
  readonly bundle?: Readonly<Record<string, unknown>>;
}

const IN_TOTO = 'application/vnd.in-toto+json';

/** A Sigstore bundle around a statement. */
export function bundleJson(statement: Buffer, key: PrivateKey, changes: EnvelopeChanges = {}): Buffer {
  const type = changes.signedType ?? IN_TOTO;
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${statement.byteLength} `;
  const sig = signatureOver(Buffer.concat([Buffer.from(head), statement]), key);
  const payload = statement.toString('base64');
  return canonicalJson({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: 'a hint' } },
    dsseEnvelope: { payload, payloadType: IN_TOTO, signatures: [{ sig }], ...changes.envelope },
    ...changes.bundle,
  });
}
