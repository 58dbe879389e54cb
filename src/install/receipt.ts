// The receipt of a load: which bundle went where, and what the registry now holds of it. No clock is in it, so the same
// load leaves the same receipt. Where receipts are kept in a registry is stored-receipts.ts.
import * as v from 'valibot';
import { canonicalJson } from '../core/canonical-json.ts';
import { isDigest, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { API_VERSION, BundleName } from '../bundle/manifest.ts';
import type { Bundle } from '../bundle/reader.ts';
import type { RegistryAddress } from './registry-address.ts';
import { targetReference, type LoadPlan } from './plan.ts';

/** Bytes; larger receipts are not read. */
export const RECEIPT_LIMIT = 4 * 1024 * 1024;

const DigestSchema = v.custom<Digest>(isDigest, 'not a sha256 digest');
const Text = v.pipe(v.string(), v.maxLength(1024));

const ReceiptSchema = v.strictObject({
  apiVersion: v.literal(API_VERSION),
  kind: v.literal('Receipt'),
  bundle: v.strictObject({
    name: BundleName,
    digest: DigestSchema,
    /** Digest of the lock in the bundle; the first receipts did not have it … */
    lock: v.exactOptional(DigestSchema),
    /** … nor this. */
    sequence: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
  }),
  /** HOST[:PORT][/PREFIX] that was loaded into. */
  registry: Text,
  images: v.array(v.strictObject({ source: Text, target: Text, digest: DigestSchema })),
});

export type Receipt = v.InferOutput<typeof ReceiptSchema>;

export function makeReceipt(bundle: Pick<Bundle, 'manifest' | 'digest'>, plan: LoadPlan): Receipt {
  const { name, lock, sequence } = bundle.manifest;
  return {
    apiVersion: API_VERSION,
    kind: 'Receipt',
    bundle: { name, digest: bundle.digest, lock, sequence },
    registry: addressText(plan.registry),
    images: plan.images.map((image) => ({
      source: image.source,
      target: targetReference(plan.registry, image),
      digest: image.digest,
    })),
  };
}

export function encodeReceipt(receipt: Receipt): Buffer {
  return canonicalJson(receipt);
}

/** A receipt comes from a registry that others write to: nothing in it is believed beyond its shape. @throws CONFIG_INVALID */
export function parseReceipt(bytes: Uint8Array): Receipt {
  const result = v.safeParse(ReceiptSchema, parseJson(bytes));
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new AirgapError('CONFIG_INVALID', `not a receipt: ${v.getDotPath(issue) ?? 'document'}: ${issue.message}`);
}

/** `HOST[:PORT][/PREFIX]` */
export function addressText({ host, prefix }: RegistryAddress): string {
  return prefix === '' ? host : `${host}/${prefix}`;
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.byteLength > RECEIPT_LIMIT) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
