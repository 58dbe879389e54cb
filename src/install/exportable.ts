// What `export` can take out of a bundle: its files, and the archives of its charts, each by the names that people know it by.
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { forEach } from '../core/pool.ts';
import { didYouMean } from '../core/similar.ts';
import type { BundleFile, BundleImage } from '../bundle/manifest.ts';
import type { Bundle } from '../bundle/reader.ts';
import { readManifest } from '../oci/manifest.ts';
import { HELM_CHART } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';

/** Names in an error. */
const SHOWN = 20;

export interface Exportable extends BundleFile {
  /** Other names that it may be asked for by. */
  readonly aliases: readonly string[];
}

/** In the order of the bundle, charts after files. @throws BUNDLE_CORRUPT, MANIFEST_INVALID */
export async function exportables(
  bundle: Pick<Bundle, 'manifest' | 'fetch'>,
  activity: Activity = {},
): Promise<Exportable[]> {
  const { files, images } = bundle.manifest;
  const artifacts = images.filter(({ artifact }) => artifact === true);
  const charts = await forEach(artifacts, (image) => archivesOf(bundle, image), {
    concurrency: 8,
    signal: activity.signal,
  });
  return [...files.map((file) => ({ ...file, aliases: [] })), ...charts.flat()];
}

/** @throws CONTENT_MISSING naming what there is; USAGE for a name that two have */
export function requireExportable(all: readonly Exportable[], name: string): Exportable {
  const exact = all.filter((one) => one.name === name);
  const found = exact.length > 0 ? exact : all.filter(({ aliases }) => aliases.includes(name));
  if (found.length > 1)
    throw new AirgapError('USAGE', `${JSON.stringify(name)} names ${found.length} things in the bundle`, {
      hint: `Name one of them: ${found.map(({ aliases: [full], name: short }) => full ?? short).join(', ')}.`,
    });
  if (found[0] !== undefined) return found[0];
  const names = all.flatMap((one) => [one.name, ...one.aliases]);
  const shown = JSON.stringify(name.slice(0, 200));
  throw new AirgapError(
    'CONTENT_MISSING',
    `the bundle holds no file or chart named ${shown}${didYouMean(name, names)}`,
    {
      hint: `It holds: ${all
        .slice(0, SHOWN)
        .map((one) => one.name)
        .join(', ')}${all.length > SHOWN ? ', …' : ''}. Without a name "eck-airgap export" lists all.`,
      details: { names: all.map((one) => one.name) },
    },
  );
}

/** The archive of a chart; nothing for other artifacts. */
async function archivesOf(bundle: Pick<Bundle, 'fetch'>, image: BundleImage): Promise<Exportable[]> {
  const { mediaType, digest, size } = image;
  const manifest = await readManifest(bundle, { mediaType, digest, size });
  if (manifest.kind === 'index') return [];
  const archive = manifest.layers.find((layer) => layer.mediaType === HELM_CHART);
  if (archive === undefined) return [];
  const { repository, tag = '' } = parseReference(image.name);
  const title = repository.slice(repository.lastIndexOf('/') + 1);
  // a registry has _ where the version of a chart has +
  const name = `${title}-${tag.replaceAll('_', '+')}.tgz`;
  return [
    {
      name,
      mediaType: archive.mediaType,
      digest: archive.digest,
      size: archive.size,
      aliases: [image.name, `${title}:${tag}`, title],
    },
  ];
}
