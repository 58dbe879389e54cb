// A chart as the OCI artifact that `helm push` makes of it (helm.sh/helm/v4/pkg/registry): Chart.yaml as config, the
// archive as it is as the one layer. Without the time that Helm writes, so that one archive is one artifact everywhere.
import { canonicalJson } from '../../core/canonical-json.ts';
import { AirgapError, isAirgapError } from '../../core/errors.ts';
import type { ArtifactBlob } from '../../oci/artifact.ts';
import type { Identity } from '../../oci/cache.ts';
import { MANIFEST_LIMIT } from '../../oci/content.ts';
import { descriptorOf, type Descriptor } from '../../oci/descriptor.ts';
import { HELM_CHART, OCI_MANIFEST } from '../../oci/media-types.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import { metadataJson, type ChartMetadata } from './chart-metadata.ts';

export const HELM_CONFIG = 'application/vnd.cncf.helm.config.v1+json';

/** The host of charts that are files of the user's; no registry that others know has it. */
const LOCAL_CHARTS = 'localhost';

const ANNOTATION = 'org.opencontainers.image';

export interface ChartArtifact {
  readonly config: ArtifactBlob;
  readonly layer: Descriptor;
  readonly manifest: ArtifactBlob;
}

/** A pure function of the archive. @throws MANIFEST_INVALID when Chart.yaml has more than a registry accepts */
export function chartArtifact(metadata: ChartMetadata, archive: Identity): ChartArtifact {
  const config = blobOf(metadataJson(metadata), HELM_CONFIG);
  const layer: Descriptor = { mediaType: HELM_CHART, digest: archive.digest, size: archive.size };
  const manifest = blobOf(
    {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: [layer],
      annotations: annotationsOf(metadata),
    },
    OCI_MANIFEST,
  );
  return { config, layer, manifest };
}

/**
 * `host/charts/name:version`, which `helm pull oci://host/charts/name --version version` asks for: a + of the version is
 * written as _.
 * @param repository URL of the chart repository; none for a file of the user's
 * @throws REFERENCE_INVALID when a registry cannot have a chart of that name or version
 */
export function chartReference(
  { name, version }: Pick<ChartMetadata, 'name' | 'version'>,
  repository: string | undefined,
): string {
  const host = repository === undefined ? LOCAL_CHARTS : hostOf(new URL(repository));
  try {
    return formatReference(parseReference(`${host}/charts/${name}:${version.replaceAll('+', '_')}`));
  } catch (error) {
    if (!isAirgapError(error, 'REFERENCE_INVALID')) throw error;
    throw new AirgapError(
      'REFERENCE_INVALID',
      `a registry cannot hold the chart ${name} ${version}: ${error.message}`,
      {
        cause: error,
        hint: 'Helm itself could not push it either; carry the archive among "files" of airgap.yaml.',
      },
    );
  }
}

/** With a port where nothing else says that it is a host. */
function hostOf({ host, hostname, protocol }: URL): string {
  const isHost = host !== hostname || hostname.includes('.') || hostname === LOCAL_CHARTS;
  return isHost ? host : `${hostname}:${protocol === 'https:' ? 443 : 80}`;
}

/** What Chart.yaml says for it, under what Helm makes of it; name and version cannot be said otherwise. */
function annotationsOf(metadata: ChartMetadata): Record<string, string> {
  const { name, version, annotations = {}, maintainers = [], sources = [] } = metadata;
  const authors = maintainers.map((one) => `${one.name ?? ''}${one.email ? ` (${one.email})` : ''}`).join(', ');
  const made = {
    [`${ANNOTATION}.description`]: metadata.description,
    [`${ANNOTATION}.url`]: metadata.home,
    [`${ANNOTATION}.source`]: sources[0],
    [`${ANNOTATION}.authors`]: authors,
  };
  const said = Object.entries(made).filter((entry): entry is [string, string] => (entry[1] ?? '').trim() !== '');
  return {
    ...Object.fromEntries(said),
    ...annotations,
    [`${ANNOTATION}.title`]: name,
    [`${ANNOTATION}.version`]: version,
  };
}

function blobOf(value: unknown, mediaType: string): ArtifactBlob {
  const bytes = canonicalJson(value);
  if (bytes.byteLength <= MANIFEST_LIMIT) return { descriptor: descriptorOf(bytes, mediaType), bytes };
  throw new AirgapError('MANIFEST_INVALID', `what its Chart.yaml says comes to more than ${MANIFEST_LIMIT} bytes`);
}
