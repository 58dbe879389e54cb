// Brings a locked chart into the cache: the archive from where the lock says, the rest made of it again. What is there
// already costs no request.
import type { LockedImage } from '../../bundle/lock.ts';
import { AirgapError } from '../../core/errors.ts';
import { contentOf, readBlob } from '../../oci/content.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Cache } from '../../oci/cache.ts';
import { fetchPlace, type FetchPlaceContext } from '../fetch-place.ts';
import { placeOf } from '../files/wanted-files.ts';
import { namingImage } from '../resolve.ts';
import { damagedBlob } from '../damaged-blob.ts';
import { ARCHIVE_LIMIT, readChart } from './chart-archive.ts';
import { HELM_CHART } from '../../oci/media-types.ts';
import { chartArtifact } from './chart-artifact.ts';

export interface FetchChartContext extends FetchPlaceContext {
  readonly cache: Pick<Cache, 'fetch' | 'push' | 'drop'>;
}

/**
 * Archive, config and manifest are in the cache afterwards.
 * @param image a locked chart
 * @throws DIGEST_MISMATCH when it is no longer what was locked, CONTENT_MISSING, FILE_NOT_FOUND and the errors of any
 * request, each beginning with the chart's name
 */
export async function fetchChart(image: LockedImage, context: FetchChartContext): Promise<void> {
  const { chart } = image;
  if (chart === undefined) throw new AirgapError('INTERNAL', `${image.name} is no chart`);
  await namingImage(image.name, async () => {
    const archive: Descriptor = { mediaType: HELM_CHART, digest: chart.digest, size: chart.size };
    const fullUrl = chart.queryWithheld === true ? () => context.urls.chart(image, context.signal) : undefined;
    const { url, path } = chart;
    const place = { what: 'chart', url, path, foundAt: indexOf(image), fullUrl } as const;
    const fetch = () => fetchPlace(archive, place, context);
    await fetch();
    await remake(image, archive, context).catch(async (error: unknown) => {
      if (damagedBlob(error) !== archive.digest) throw error;
      await context.cache.drop(archive.digest);
      await fetch();
      await remake(image, archive, context);
    });
  });
}

/** What it was found by, as far as the lock says it. */
function indexOf({ verified }: LockedImage): string | undefined {
  return verified !== 'none' && verified.by === 'checksum' ? verified.from : undefined;
}

async function remake(image: LockedImage, archive: Descriptor, context: FetchChartContext): Promise<void> {
  const where = placeOf(image.chart ?? {});
  const bytes = await readBlob(context.cache, archive, { signal: context.signal, limit: ARCHIVE_LIMIT });
  const { metadata } = await readChart(contentOf(bytes).open(0), { where, code: 'MANIFEST_INVALID' });
  const { config, manifest } = chartArtifact(metadata, archive);
  if (manifest.descriptor.digest !== image.digest)
    throw new AirgapError(
      'DIGEST_MISMATCH',
      `${where} makes the artifact ${manifest.descriptor.digest}, the lock has ${image.digest}`,
      { hint: 'Run "eck-airgap lock" again and review what changed; a lock is not edited by hand.' },
    );
  for (const { descriptor, bytes } of [config, manifest])
    await context.cache.push(descriptor, contentOf(bytes), context);
}
