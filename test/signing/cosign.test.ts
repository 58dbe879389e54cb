// Signatures on images as cosign makes them: right ones of every form and key, and whatever is not exactly that.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import {
  BUNDLE_V0_3,
  isSignatureType,
  preAuthEncoding,
  SIGNATURE_ANNOTATION,
  SIGNATURE_LIMIT,
  SIMPLE_SIGNING,
  vouchesFor,
  type SignatureLayer,
} from '../../src/signing/cosign.ts';
import type { PrivateKey } from '../../src/signing/private-key.ts';
import {
  bundleJson,
  newKey,
  signatureOver,
  signedStatement,
  simpleSigningPayload,
  type EnvelopeChanges,
} from '../support/cosign.ts';

const IMAGE = digestOf(Buffer.from('an image'));
const OTHER = digestOf(Buffer.from('another image'));
const key = newKey();
const { publicKey } = key;

const legacy = (bytes: Buffer, signature = signatureOver(bytes, key)): SignatureLayer => ({
  mediaType: SIMPLE_SIGNING,
  annotations: { [SIGNATURE_ANNOTATION]: signature },
  bytes,
});
const bundle = (bytes: Buffer, mediaType: string = BUNDLE_V0_3): SignatureLayer => ({ mediaType, bytes });
const statement = signedStatement(IMAGE);
const vouches = (layer: SignatureLayer) => vouchesFor(publicKey, IMAGE, layer);

describe.each<[string, (by: PrivateKey, digest?: string) => SignatureLayer]>([
  [
    'simple signing',
    (by, digest = IMAGE) => legacy(simpleSigningPayload(digest), signatureOver(simpleSigningPayload(digest), by)),
  ],
  ['a Sigstore bundle', (by, digest = IMAGE) => bundle(bundleJson(signedStatement(digest), by))],
])('%s', (_form, sign) => {
  test.each(['ecdsa-p256', 'ed25519', 'rsa'] as const)('by an %s key', (algorithm) => {
    const own = newKey({ algorithm });
    expect(vouchesFor(own.publicKey, IMAGE, sign(own))).toBe(true);
    expect(vouchesFor(publicKey, IMAGE, sign(own))).toBe(false);
  });

  test('vouches for that image alone', () => {
    expect(vouchesFor(publicKey, OTHER, sign(key))).toBe(false);
    expect(vouches(sign(key, OTHER))).toBe(false);
  });

  test('with any one bit changed vouches for nothing, or says the same', () => {
    const { bytes, ...layer } = sign(key);
    const signed = layer.mediaType === SIMPLE_SIGNING;
    fc.assert(
      fc.property(fc.nat(bytes.byteLength * 8 - 1), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const { mediaType, ...rest } = layer;
        const accepted = vouches({ mediaType, ...rest, bytes: changed });
        // outside of the envelope a bundle is not signed: only what is left out of the judgement can differ there
        if (accepted) expect([signed, signedPart(changed)]).toEqual([false, signedPart(bytes)]);
      }),
    );
  });

  test('larger than the limit is none, though it is signed', () => {
    const { mediaType, annotations, bytes } = sign(key);
    const padded = Buffer.concat([bytes, Buffer.alloc(SIGNATURE_LIMIT, ' ')]);
    const signature = { [SIGNATURE_ANNOTATION]: signatureOver(padded, key) };
    const layer = { mediaType, ...(annotations === undefined ? {} : { annotations: signature }) };
    const largest = padded.subarray(0, SIGNATURE_LIMIT);
    const again = annotations && { annotations: { [SIGNATURE_ANNOTATION]: signatureOver(largest, key) } };
    expect(vouches({ ...layer, ...again, bytes: largest })).toBe(true);
    expect(vouches({ ...layer, bytes: padded })).toBe(false);
  });

  test('of arbitrary bytes is none, and never a throw', () => {
    const layer = sign(key);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => !vouches({ ...layer, bytes })));
    fc.assert(fc.property(fc.json(), (text) => !vouches({ ...layer, bytes: Buffer.from(text) })));
  });
});

/** Payload, its type and the signature. */
function signedPart(bytes: Uint8Array): unknown {
  const { dsseEnvelope } = JSON.parse(Buffer.from(bytes).toString()) as {
    dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
  };
  return [dsseEnvelope.payload, dsseEnvelope.payloadType, dsseEnvelope.signatures.map(({ sig }) => sig)];
}

describe('simple signing', () => {
  const payload = simpleSigningPayload(IMAGE);
  const good = signatureOver(payload, key);

  test('takes the type of an atomic signature, and no other', () => {
    expect(vouches(legacy(simpleSigningPayload(IMAGE, 'atomic container signature')))).toBe(true);
    expect(vouches(legacy(simpleSigningPayload(IMAGE, 'cosign blob signature')))).toBe(false);
  });

  test.each<[string, string]>([
    ['a line end', `${good}\n`],
    ['the URL alphabet', good.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')],
    ['nothing', ''],
    ['DER with a byte more', Buffer.concat([Buffer.from(good, 'base64'), Buffer.of(0)]).toString('base64')],
    ['DER cut off', Buffer.from(good, 'base64').subarray(0, -1).toString('base64')],
    ['raw r and s', Buffer.alloc(64, 1).toString('base64')],
  ])('a signature with %s is none', (_what, signature) => {
    if (signature !== good) expect(vouches(legacy(payload, signature))).toBe(false);
  });

  test('without an annotation there is no signature, nor is an inherited one', () => {
    expect(vouches({ mediaType: SIMPLE_SIGNING, bytes: payload })).toBe(false);
    const inherited = Object.create({ [SIGNATURE_ANNOTATION]: good }) as Record<string, string>;
    expect(vouches({ mediaType: SIMPLE_SIGNING, annotations: inherited, bytes: payload })).toBe(false);
  });

  test.each<[string, string]>([
    ['no object', '[]'],
    ['null', 'null'],
    ['what matters below __proto__', payload.toString().replace('"critical"', '"__proto__"')],
    ['the digest below __proto__', payload.toString().replace('"image"', '"__proto__"')],
    ['names in other case', payload.toString().replace('docker-manifest-digest', 'Docker-manifest-digest')],
    ['the digest in a list', payload.toString().replace(`"${IMAGE}"`, `["${IMAGE}"]`)],
    ['the digest in upper case', payload.toString().replace(IMAGE, IMAGE.toUpperCase())],
    ['something after it', `${payload.toString()}{}`],
    ['a byte order mark', `\ufeff${payload.toString()}`],
    ['very deep lists', '['.repeat(100_000)],
  ])('a payload with %s is none, though it is signed', (_what, text) => {
    expect(vouches(legacy(Buffer.from(text)))).toBe(false);
  });

  test('a payload that is not UTF-8 is none', () => {
    const bytes = Buffer.from(payload.toString().replace('null', '"X"'));
    bytes[bytes.indexOf('"X"') + 1] = 0xff;
    expect(vouches(legacy(bytes))).toBe(false);
  });
});

describe('a Sigstore bundle', () => {
  const made = (changes: EnvelopeChanges, signed = statement) => vouches(bundle(bundleJson(signed, key, changes)));
  const said = (changes: Record<string, unknown>) => made({}, signedStatement(IMAGE, changes));
  const payload = statement.toString('base64');

  test('of the versions 0.1 to 0.3, as either is written', () => {
    const types = ['.v0.3+json', '+json;version=0.1', '+json;version=0.2', '+json;version=0.3'];
    for (const type of types.map((version) => `application/vnd.dev.sigstore.bundle${version}`)) {
      expect(isSignatureType(type)).toBe(true);
      expect(vouches(bundle(bundleJson(statement, key, { bundle: { mediaType: type } }), type))).toBe(true);
    }
    for (const version of ['.v0.4+json', '.v1.0+json', '.v0.31+json', '+json', '+json;version=0.9', '.v0.3+json '])
      expect(isSignatureType(`application/vnd.dev.sigstore.bundle${version}`)).toBe(false);
    expect(made({ bundle: { mediaType: 'application/vnd.dev.sigstore.bundle.v0.4+json' } })).toBe(false);
    expect(made({ bundle: { mediaType: 'application/json' } })).toBe(false);
  });

  test('as another type of layer is none', () => {
    expect(vouches(bundle(bundleJson(statement, key), 'application/json'))).toBe(false);
    expect(vouches({ ...legacy(bundleJson(statement, key)), mediaType: SIMPLE_SIGNING })).toBe(false);
    expect(vouches(bundle(simpleSigningPayload(IMAGE)))).toBe(false);
  });

  test('signs the type of its payload with it', () => {
    expect(made({ signedType: 'application/json' })).toBe(false);
    expect(made({ envelope: { payloadType: 'application/json' } })).toBe(false);
    expect(made({ signedType: 'application/json', envelope: { payloadType: 'application/json' } })).toBe(false);
    const bare = signatureOver(statement, key);
    expect(made({ envelope: { signatures: [{ sig: bare }] } })).toBe(false);
  });

  test('lengths in what is signed are of bytes', () => {
    expect(preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
    expect(preAuthEncoding('é', Buffer.from('ü')).toString()).toBe('DSSEv1 2 é 2 ü');
    expect(preAuthEncoding('', Buffer.alloc(0)).toString()).toBe('DSSEv1 0  0 ');
  });

  test('has one signature', () => {
    const { dsseEnvelope } = JSON.parse(bundleJson(statement, key).toString()) as {
      dsseEnvelope: { signatures: object[] };
    };
    const [one = {}] = dsseEnvelope.signatures;
    expect(made({ envelope: { signatures: [{ ...one, keyid: 'whatever' }] } })).toBe(true);
    for (const signatures of [[], [one, one], [{ sig: '' }, one], one, 'x', null, [null], [{ sig: [one] }]])
      expect(made({ envelope: { signatures } })).toBe(false);
  });

  test.each<[string, unknown]>([
    ['white space', `${payload}\n`],
    ['no padding', `${payload.replace(/=+$/, '')}A`],
    ['a list', [payload]],
    ['nothing', ''],
  ])('a payload with %s is none', (_what, changed) => expect(made({ envelope: { payload: changed } })).toBe(false));

  test('that signs a message is none: what is signed then is no statement', () => {
    const messageDigest = { algorithm: 'SHA2_256', digest: Buffer.from(IMAGE.slice(7), 'hex').toString('base64') };
    const messageSignature = { messageDigest, signature: signatureOver(Buffer.from('an image'), key) };
    expect(made({ bundle: { dsseEnvelope: undefined, messageSignature } })).toBe(false);
  });

  test('an attestation of something else about the image is no signature on it', () => {
    expect(said({ predicateType: 'https://spdx.dev/Document' })).toBe(false);
    expect(said({ predicateType: 'https://cosign.sigstore.dev/attestation/v1' })).toBe(false);
    expect(said({ predicateType: undefined })).toBe(false);
    expect(said({ _type: 'https://in-toto.io/Statement/v2' })).toBe(false);
  });

  test('one of its subjects is the image, by sha256', () => {
    const hex = IMAGE.replace('sha256:', '');
    const digest = { sha256: hex };
    expect(said({ subject: [{ digest: { sha256: OTHER.slice(7) } }, { name: 'x', digest }] })).toBe(true);
    for (const subject of [
      [],
      { digest },
      [digest],
      [{ digest: { sha512: hex } }],
      [{ digest: { sha256: IMAGE } }],
      [{ digest: { sha256: hex.toUpperCase() } }],
      [{ digest: { sha256: [hex] } }],
      [null, 1, 'x'],
    ])
      expect(said({ subject })).toBe(false);
  });

  test('certificates and entries of a log do not matter', () => {
    const material = { x509CertificateChain: { certificates: [{ rawBytes: 'AA==' }] }, tlogEntries: [{ logIndex: 1 }] };
    expect(made({ bundle: { verificationMaterial: material } })).toBe(true);
    expect(made({ bundle: { verificationMaterial: undefined } })).toBe(true);
  });

  test.each<[string, string, string]>([
    ['the envelope', '"dsseEnvelope"', '"__proto__"'],
    ['the payload', '"payload"', '"__proto__"'],
    ['the signature', '"sig"', '"__proto__"'],
  ])('%s below __proto__ is none', (_what, from, to) => {
    const text = bundleJson(statement, key).toString();
    expect(text).toContain(from);
    expect(vouches(bundle(Buffer.from(text.replace(from, to))))).toBe(false);
    expect(({} as Record<string, unknown>)['payload']).toBeUndefined();
  });
});
