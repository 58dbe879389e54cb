// Images whose layers take time to move: two layers of two chunks of an upload each, and one that images share.
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { digestOf } from '../../src/core/digest.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { cosignTags } from '../../src/oci/referrer-tags.ts';
import { cosignSignature, layerTar, randomIndex, type Blob, type Graph } from '../../test/support/random-image.ts';
import { MIB, noise } from '../bench/image.ts';

/** MiB of the large layers. */
export interface Sizes {
  readonly large: number;
  readonly medium: number;
  readonly shared: number;
}

export interface Published {
  readonly repository: string;
  readonly tag: string;
  readonly graph: Graph;
  /** Whether airgap.yaml names it; a signature comes along with what it signs. */
  readonly named: boolean;
}

export function chaosImages({ large, medium, shared }: Sizes): Published[] {
  const base = layer('shared', shared);
  const operator = randomIndex('operator', { attestations: true });
  const [signatureTag = ''] = cosignTags(operator.root.digest);
  const named = (repository: string, tag: string, graph: Graph): Published => ({ repository, tag, graph, named: true });
  return [
    named('elasticsearch/elasticsearch', '9.5.2', image([base, layer('large', large)])),
    named('kibana/kibana', '9.5.2', image([base, layer('medium', medium), layer('small', 1)])),
    named('eck/eck-operator', '3.5.0', operator),
    { repository: 'eck/eck-operator', tag: signatureTag, graph: cosignSignature(operator.root), named: false },
  ];
}

function layer(seed: string, mebibytes: number): Blob {
  const bytes = layerTar(`data/${seed}`, Buffer.concat([...noise(mebibytes * MIB, seed)]));
  return { bytes, descriptor: descriptorOf(bytes, OCI_LAYER) };
}

function image(layers: readonly Blob[]): Graph {
  const rootfs = { type: 'layers', diff_ids: layers.map(({ bytes }) => digestOf(bytes)) };
  const config = json(OCI_CONFIG, { architecture: 'amd64', os: 'linux', config: {}, rootfs });
  const manifest = json(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return { root: manifest.descriptor, blobs: [...layers, config, manifest] };
}

function json(mediaType: string, value: unknown): Blob {
  const bytes = canonicalJson(value);
  return { bytes, descriptor: descriptorOf(bytes, mediaType) };
}
