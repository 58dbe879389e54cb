// Artifacts: an OCI manifest around one file, its type said by artifactType (image-spec manifest.md, "Guidelines for
// artifact usage"). Deterministic, so the same file is the same artifact everywhere.
import { canonicalJson } from '../core/canonical-json.ts';
import { descriptorOf, type Descriptor } from './descriptor.ts';
import { OCI_EMPTY, OCI_MANIFEST } from './media-types.ts';

/** The annotation that names the file. */
export const TITLE = 'org.opencontainers.image.title';

export interface ArtifactOptions {
  readonly artifactType: string;
  /** The file: its name (TITLE), media type and bytes. */
  readonly layer: { readonly name: string; readonly mediaType: string; readonly bytes: Uint8Array };
}

export interface ArtifactBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** The blobs of the artifact in the order they are pushed: empty config, layer, manifest last. */
export function artifact(options: ArtifactOptions): readonly [ArtifactBlob, ArtifactBlob, ArtifactBlob] {
  const { name, mediaType, bytes } = options.layer;
  const empty = Buffer.from('{}');
  const config = descriptorOf(empty, OCI_EMPTY);
  const layer: Descriptor = {
    ...descriptorOf(bytes, mediaType),
    annotations: { [TITLE]: name },
  };
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: options.artifactType,
    config,
    layers: [layer],
  });
  return [
    { descriptor: config, bytes: empty },
    { descriptor: layer, bytes },
    { descriptor: { ...descriptorOf(manifest, OCI_MANIFEST), artifactType: options.artifactType }, bytes: manifest },
  ];
}
