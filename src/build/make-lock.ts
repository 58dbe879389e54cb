// `lock`: every name of airgap.yaml pinned to a digest.
import type { Activity } from '../core/events.ts';
import { plural } from '../core/plural.ts';
import { allOf, forEach } from '../core/pool.ts';
import { API_VERSION } from '../bundle/manifest.ts';
import type { Lock, LockedFile, LockedImage } from '../bundle/lock.ts';
import { specDigest, type BundleSpec } from '../bundle/spec.ts';
import { catalogueOf, type CatalogueText } from '../catalog/overrides.ts';
import type { Cache } from '../oci/cache.ts';
import { chartIndexes } from './charts/chart-index.ts';
import { chartTitle, lockChart } from './charts/lock-chart.ts';
import { lockFiles } from './files/lock-files.ts';
import { wantedFiles, type WantedFile } from './files/wanted-files.ts';
import { fromSources } from './from-sources.ts';
import { unlessGone, type GoneOptions } from './gone.ts';
import { keyTexts, type TrustedKeys } from './image-signatures.ts';
import { requireLocalFiles } from './local-files.ts';
import { blamingCarriers, cutIndexes, namedBeside, type NamedBeside } from './named-beside.ts';
import { imagesInFile, imagesInManifest, type NamedInFile } from './named-images.ts';
import { resolveImage } from './resolve.ts';
import type { Sources } from './sources.ts';
import { requireUsedKeys, type Carried } from './unused-keys.ts';
import { wantedBySpec, type WantedBySpecImage } from './wanted-by-spec.ts';
import { chartNotes, wantedCharts, type WantedChart } from './wanted-charts.ts';

export interface MakeLockOptions extends Activity, GoneOptions {
  readonly cache: Cache;
  readonly sources: Sources;
  /** The folder that relative file paths start from. */
  readonly folder: string;
  /** The catalogue file that the specification names. */
  readonly catalogueFile?: CatalogueText | undefined;
  /** Each key that `signatures` names. */
  readonly keys: TrustedKeys;
  /** Apply the newest rules to versions that the catalogue does not know. */
  readonly allowUnknownVersion?: boolean;
  /** Images resolved at a time; 8 by default. */
  readonly concurrency?: number;
}

/** @throws SIGNATURE_INVALID, what resolving fails with, and the catalogue's refusals (see `selectImages`) */
export async function makeLock(spec: BundleSpec, options: MakeLockOptions): Promise<Lock> {
  const wanted = wantedBySpec(spec, options);
  for (const message of [...wanted.notes, ...chartNotes(spec, wanted.selection)])
    options.report?.({ type: 'warning', message });
  await requireLocalFiles(spec, options.folder);
  const charts = wantedCharts(spec, wanted.selection);
  const files = wantedFiles(spec, wanted.selection);
  options.report?.({ type: 'phase', phase: resolvingPhase(wanted.images.length, charts.length, files.length) });
  const context: Context = { ...options, spec };
  const [wantedImages, pinnedCharts, pinnedFiles] = await allOf(
    [
      (signal) => pinImages(wanted.images, { ...context, signal }),
      (signal) => pinCharts(charts, { ...context, signal }),
      (signal) => pinFiles(files, { ...context, signal }),
    ],
    options,
  );
  const catalogue = catalogueOf(options.catalogueFile);
  const carriers = [...pinnedCharts, ...pinnedFiles];
  const beside = namedBeside(wanted.images, carriers, { ...spec, catalogue });
  warnOfUnusedKeys({ images: [...wanted.images, ...beside], charts: pinnedCharts, files: pinnedFiles }, context);
  const images = [...wantedImages, ...(await pinImages(beside, context))];
  for (const message of cutIndexes(images, carriers)) options.report?.({ type: 'warning', message });
  return {
    apiVersion: API_VERSION,
    kind: 'Lock',
    metadata: { name: spec.metadata.name },
    spec: specDigest(spec, { catalogue: options.catalogueFile?.text, keys: keyTexts(options.keys) }),
    platforms: spec.platforms,
    ...(wanted.selection === undefined ? {} : { selection: wanted.selection }),
    images: [...images, ...pinnedCharts],
    files: pinnedFiles,
  };
}

type Wanted = WantedBySpecImage & Partial<Pick<NamedBeside, 'ignorable'>>;

interface Context extends MakeLockOptions {
  readonly spec: BundleSpec;
}

/** Not where something is gone: what fits only that is no slip. @throws CONFIG_INVALID */
function warnOfUnusedKeys(
  { images, ...pinned }: Omit<Carried, 'images'> & { readonly images: readonly Wanted[] },
  { spec, report, onGone }: Context,
): void {
  if (onGone !== undefined) return;
  for (const message of requireUsedKeys(spec, { ...pinned, images: fromSources(images, spec.sources) }))
    report?.({ type: 'warning', message });
}

async function pinImages(wanted: readonly Wanted[], context: Context): Promise<LockedImage[]> {
  const { spec, keys, report, concurrency = 8 } = context;
  const policy = { signatures: spec.signatures, keys };
  const pinned = await forEach(
    fromSources(wanted, spec.sources),
    async ({ name, from, platforms, uses, ignorable }, signal) => {
      const resolve = { ...context, signal, platforms, from, policy };
      const task = () => blamingCarriers({ uses, ignorable }, () => resolveImage(name, resolve));
      const image = await unlessGone(name, task, context);
      if (image === undefined) return [];
      report?.({ type: 'done', what: name, detail: image.digest });
      return [uses === undefined ? image : { ...image, uses: [...uses] }];
    },
    { concurrency, signal: context.signal },
  );
  return pinned.flat();
}

async function pinCharts(wanted: readonly WantedChart[], context: Context): Promise<LockedImage[]> {
  const { sources, report, concurrency = 8 } = context;
  const indexes = chartIndexes(sources.web);
  const pinned = await forEach(
    wanted,
    async ({ source, use }, signal) => {
      const lock = () => lockChart(source, { ...context, web: sources.web, indexes, signal });
      const chart = await unlessGone(chartTitle(source), lock, context);
      if (chart === undefined) return [];
      report?.({ type: 'done', what: chart.name, detail: chart.digest });
      return [use === undefined ? chart : { ...chart, uses: [use] }];
    },
    { concurrency, signal: context.signal },
  );
  return pinned.flat();
}

function pinFiles(wanted: readonly WantedFile[], context: Context): Promise<LockedFile[]> {
  const imagesIn = (text: string, where: string, strict: boolean): NamedInFile =>
    strict ? { images: imagesInManifest(text, where), unread: [] } : imagesInFile(text);
  return lockFiles(wanted, { ...context, web: context.sources.web, imagesIn });
}

function resolvingPhase(images: number, charts: number, files: number): string {
  const counted = Object.entries({ image: images, chart: charts, file: files })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => plural(count, what));
  return `resolving ${counted.join(', ')}`;
}
