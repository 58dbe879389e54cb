// The receipt of a load: what the registry now holds. Left as a file, and in the registry itself as an OCI artifact, so
// that the next installer finds it whatever machine it runs on. No clock, so the same load leaves the same receipt.
import { canonicalJson } from '../core/canonical-json.ts';
import type { Digest } from '../core/digest.ts';
import { forEach } from '../core/pool.ts';
import { API_VERSION } from '../bundle/manifest.ts';
import type { Bundle } from '../bundle/reader.ts';
import { artifact, type ArtifactBlob } from '../oci/artifact.ts';
import { contentOf } from '../oci/content.ts';
import type { Registry } from '../registry/registry.ts';
import { targetReference, type LoadPlan } from './plan.ts';

const RECEIPT_TYPE = 'application/vnd.eck-airgap.receipt.v1+json';
const REPOSITORY = 'eck-airgap/receipts';

export interface Receipt {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'Receipt';
  readonly bundle: { readonly name: string; readonly digest: Digest; readonly sequence: number };
  /** HOST[:PORT][/PREFIX] that was loaded into. */
  readonly registry: string;
  readonly images: readonly { readonly source: string; readonly target: string; readonly digest: Digest }[];
}

export function makeReceipt(bundle: Bundle, plan: LoadPlan): Receipt {
  const { host, prefix } = plan.registry;
  return {
    apiVersion: API_VERSION,
    kind: 'Receipt',
    bundle: { name: bundle.manifest.name, digest: bundle.digest, sequence: bundle.manifest.sequence },
    registry: prefix === '' ? host : `${host}/${prefix}`,
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

/** Stores the receipt as `<prefix>/eck-airgap/receipts:<bundle name>`; nothing is sent when it is there already. */
export async function pushReceipt(
  registry: Registry,
  receipt: Receipt,
  plan: LoadPlan,
  signal?: AbortSignal,
): Promise<string> {
  const { prefix, host } = plan.registry;
  const name = prefix === '' ? REPOSITORY : `${prefix}/${REPOSITORY}`;
  const repository = registry.repository(name);
  const bytes = encodeReceipt(receipt);
  const layer = { name: `${receipt.bundle.name}.receipt.json`, mediaType: RECEIPT_TYPE, bytes };
  const blobs = artifact({ artifactType: RECEIPT_TYPE, layer });
  const [config, file, manifest] = blobs;
  const push = async ({ descriptor, bytes: content }: ArtifactBlob): Promise<void> => {
    if (!(await repository.exists(descriptor, { signal })))
      await repository.push(descriptor, contentOf(content), { signal });
  };
  await forEach([config, file], push, { signal });
  await push(manifest);
  await repository.tag(blobs[2].descriptor, receipt.bundle.name, { signal });
  return `${host}/${name}:${receipt.bundle.name}`;
}
