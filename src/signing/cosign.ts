// Signatures on container images as cosign makes them, judged by a public key alone: the transparency log and certificates
// are left out. Two forms: simple signing (cosign SIGNATURE_SPEC.md, containers-signature.5), and an in-toto statement in a
// Sigstore bundle (cosign BUNDLE_SPEC.md, sigstore_bundle.proto, DSSE). A messageSignature is no signature on an image:
// cosign does not take one as such either. Where signatures lie in a registry is not known here.
import { hexOf, type Digest } from '../core/digest.ts';
import type { PublicKey } from './public-key.ts';
import { decodeBase64, verifySignature } from './signature.ts';

/** Larger is no signature: real ones have some hundred bytes, bundles with proofs of a log some ten thousand. */
export const SIGNATURE_LIMIT = 1024 * 1024;

export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
export const BUNDLE_V0_3 = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const IN_TOTO_PAYLOAD = 'application/vnd.in-toto+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** What a statement says that is a signature on an image, and no attestation of something else about it. */
const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** Versions 0.1 to 0.3; the first two were written as a parameter. */
const BUNDLE_TYPE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.[1-3]\+json|\+json;version=0\.[1-3])$/;
const SIMPLE_SIGNING_TYPES: readonly unknown[] = ['cosign container image signature', 'atomic container signature'];

/** A layer of a manifest that may be a signature; its bytes have the digest that the manifest says. */
export interface SignatureLayer {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** Whether a layer of that media type may be a signature. */
export function isSignatureType(mediaType: string): boolean {
  return mediaType === SIMPLE_SIGNING || BUNDLE_TYPE.test(mediaType);
}

/** Whether the layer is a signature by `key` on the image of that digest. Malformed is false, never a throw. */
export function vouchesFor(key: PublicKey, image: Digest, layer: SignatureLayer): boolean {
  if (layer.bytes.byteLength > SIGNATURE_LIMIT) return false;
  if (layer.mediaType === SIMPLE_SIGNING) return simpleSigningVouches(key, image, layer);
  return BUNDLE_TYPE.test(layer.mediaType) && bundleVouches(key, image, layer.bytes);
}

/** Signed are the bytes of the layer; the signature stands in the manifest. */
function simpleSigningVouches(key: PublicKey, image: Digest, { bytes, annotations = {} }: SignatureLayer): boolean {
  const signature = at(annotations, SIGNATURE_ANNOTATION);
  if (typeof signature !== 'string' || !verifySignature(key, bytes, signature)) return false;
  const critical = at(parseJson(bytes), 'critical');
  return (
    SIMPLE_SIGNING_TYPES.includes(at(critical, 'type')) && at(critical, 'image', 'docker-manifest-digest') === image
  );
}

/** Signed are the type and the bytes of the envelope's payload. What else the bundle has is for who asks the log. */
function bundleVouches(key: PublicKey, image: Digest, bytes: Uint8Array): boolean {
  const bundle = parseJson(bytes);
  const version = at(bundle, 'mediaType');
  const envelope = at(bundle, 'dsseEnvelope');
  if (typeof version !== 'string' || !BUNDLE_TYPE.test(version)) return false;
  if (at(envelope, 'payloadType') !== IN_TOTO_PAYLOAD) return false;
  const payload = base64At(envelope, 'payload');
  const signatures = at(envelope, 'signatures');
  // a bundle's envelope has one signature, though DSSE allows several
  if (payload === undefined || !Array.isArray(signatures) || signatures.length !== 1) return false;
  const signature = at(signatures[0], 'sig');
  if (typeof signature !== 'string') return false;
  return verifySignature(key, preAuthEncoding(IN_TOTO_PAYLOAD, payload), signature) && isSignedImage(payload, image);
}

function isSignedImage(payload: Uint8Array, image: Digest): boolean {
  const statement = parseJson(payload);
  const subjects = at(statement, 'subject');
  return (
    at(statement, '_type') === STATEMENT_TYPE &&
    at(statement, 'predicateType') === SIGN_PREDICATE &&
    Array.isArray(subjects) &&
    subjects.some((subject) => at(subject, 'digest', 'sha256') === hexOf(image))
  );
}

/** What DSSE signs (protocol.md, PAE): lengths are of bytes, in decimal. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.byteLength} `),
    type,
    Buffer.from(` ${payload.byteLength} `),
    payload,
  ]);
}

function base64At(value: unknown, key: string): Buffer | undefined {
  const text = at(value, key);
  return typeof text === 'string' ? decodeBase64(text) : undefined;
}

/** JSON in UTF-8; undefined for anything else. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** A member of what JSON.parse made; only what an object has itself (`__proto__`, `constructor`). */
function at(value: unknown, ...path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return at((value as Record<string, unknown>)[key], ...rest);
}
