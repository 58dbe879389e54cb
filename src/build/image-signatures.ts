// Whose signature an image must have (`signatures` of airgap.yaml), and whether it has it: what lies upstream beside the
// image is read by content, and judged by src/signing/cosign.ts.
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import type { LockedImage, Verified } from '../bundle/lock.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import { readBlob } from '../oci/content.ts';
import { readManifest } from '../oci/manifest.ts';
import { isImageManifestType } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import type { Fetcher } from '../oci/target.ts';
import { isSignatureType, SIGNATURE_LIMIT, vouchesFor, type SignatureLayer } from '../signing/cosign.ts';
import type { PublicKey } from '../signing/public-key.ts';
import { longestPrefix } from './name-prefix.ts';

/** No more are tried for an image; cosign reads no more either. */
const MAX_SIGNATURES = 1000;

/** Public keys by the path that airgap.yaml names each by. */
export type TrustedKeys = ReadonlyMap<string, PublicKey>;

/** What airgap.yaml asks of signatures. */
export interface SignaturePolicy {
  readonly signatures: BundleSpec['signatures'];
  /** Each that `signatures` names. */
  readonly keys: TrustedKeys;
}

/** An image as the lock has it, or is going to have it. */
export type SignedImage = Pick<LockedImage, 'name' | 'digest' | 'original' | 'accompanying'>;

export interface CheckOptions {
  /** Path of the key, as airgap.yaml has it. */
  readonly keyFile: string;
  readonly signal?: AbortSignal | undefined;
}

/** Path of the key that must have signed images of that name; undefined where none must have. */
export function ruleFor(name: string, signatures: BundleSpec['signatures']): string | undefined {
  const rule = longestPrefix(name, signatures);
  return rule === undefined || rule === 'none' ? undefined : rule.key;
}

/** For the digest of a specification. */
export function keyTexts(keys: TrustedKeys): Record<string, string> {
  return Object.fromEntries([...keys].map(([path, { pem }]) => [path, pem]));
}

/** What vouches for an image by its rule; `none` where it has none. @throws SIGNATURE_INVALID */
export async function vouchedBy(
  source: Fetcher,
  image: SignedImage,
  { signatures, keys, signal }: SignaturePolicy & Activity,
): Promise<Verified> {
  const keyFile = ruleFor(image.name, signatures);
  if (keyFile === undefined) return 'none';
  const key = keys.get(keyFile);
  if (key === undefined) throw new AirgapError('INTERNAL', `the key ${keyFile} was not read`);
  return checkImageSignature(source, image, key, { keyFile, signal });
}

/**
 * Looks for a signature by the key on what the tag names upstream, or on what is pushed. One is enough, whatever lies
 * beside it.
 * @throws SIGNATURE_INVALID and what reading fails with; the message does not name the image
 */
export async function checkImageSignature(
  source: Fetcher,
  image: SignedImage,
  key: PublicKey,
  options: CheckOptions,
): Promise<Verified> {
  const digests = [image.digest, ...(image.original === undefined ? [] : [image.original.digest])];
  let found = 0;
  for await (const layer of signatureLayers(source, image, options)) {
    if (digests.some((digest) => vouchesFor(key, digest, layer))) return { by: 'cosign', key: key.fingerprint };
    if (++found === MAX_SIGNATURES) break;
  }
  throw notSigned(image, key, { ...options, found });
}

/**
 * The layers that can be signatures, of all manifests beside the image. What artifact type these have does not matter: in a
 * list that a client keeps, where a registry has no API for referrers, it may be anything.
 */
async function* signatureLayers(
  source: Fetcher,
  { accompanying }: SignedImage,
  { signal }: CheckOptions,
): AsyncGenerator<SignatureLayer> {
  for (const descriptor of accompanying) {
    if (!isImageManifestType(descriptor.mediaType)) continue;
    const manifest = await readManifest(source, descriptor, { signal });
    for (const layer of manifest.kind === 'manifest' ? manifest.layers : []) {
      if (!isSignatureType(layer.mediaType) || layer.size > SIGNATURE_LIMIT) continue;
      yield { ...layer, bytes: await readBlob(source, layer, { signal, limit: SIGNATURE_LIMIT }) };
    }
  }
}

function notSigned(
  image: SignedImage,
  key: PublicKey,
  { keyFile, found }: CheckOptions & { found: number },
): AirgapError {
  const { registry, repository } = parseReference(image.name);
  const those = found === 1 ? 'the one found does' : `the ${found} found do`;
  const why = found === 0 ? 'none was found' : `${those} not verify`;
  return new AirgapError('SIGNATURE_INVALID', `no signature by the key ${key.fingerprint} (${keyFile}): ${why}`, {
    hint: `Compare the key with its publisher's. To take the image unsigned, write under "signatures" in airgap.yaml: "${registry}/${repository}": none`,
    details: { key: key.fingerprint, keyFile, found },
  });
}
