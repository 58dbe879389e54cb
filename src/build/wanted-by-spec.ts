// From airgap.yaml to the images that the lock resolves: those that follow from the catalogue, and those named one by one.
import { AirgapError } from '../core/errors.ts';
import { carriedName, type CarriedName } from '../catalog/carried-name.ts';
import { findComponent } from '../catalog/components.ts';
import { catalogueOf, type CatalogueText } from '../catalog/overrides.ts';
import { selectImages, type Selected } from '../catalog/select.ts';
import type { LockedSelection, Use } from '../bundle/lock.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import type { WantedPlatforms } from './resolve.ts';

export interface WantedBySpecOptions {
  readonly catalogueFile?: CatalogueText | undefined;
  readonly allowUnknownVersion?: boolean;
}

export interface WantedBySpecImage extends CarriedName {
  readonly platforms: WantedPlatforms;
  readonly uses?: readonly Use[];
  /** Iron Bank's build of it. */
  readonly ironBank?: string;
}

export interface WantedBySpec {
  /** By name, each once. */
  readonly images: readonly WantedBySpecImage[];
  /** What was chosen of the catalogue, for the lock. */
  readonly selection?: LockedSelection;
  /** What a person should know about the choice. */
  readonly notes: readonly string[];
}

/** @throws CONFIG_INVALID for the catalogue file and for two digests of one name, and what `selectImages` refuses */
export function wantedBySpec(spec: BundleSpec, options: WantedBySpecOptions): WantedBySpec {
  const { elastic } = spec;
  const { selected, selection } = elastic === undefined ? NOTHING : selectedBy(elastic, spec.platforms, options);
  const named = namedIn(spec);
  const chosen: readonly WantedBySpecImage[] = selected.images.map((image) => ({ ...image, ...named.get(image.name) }));
  const more = [...named.values()]
    .filter(({ name }) => !chosen.some((image) => image.name === name))
    .map((one) => ({ ...one, platforms: spec.platforms }));
  return {
    images: [...chosen, ...more].sort((a, b) => (a.name < b.name ? -1 : 1)),
    notes: selected.notes,
    ...(selection === undefined ? {} : { selection }),
  };
}

/** By name, each once: where it is named with a digest too, that says what to take. */
function namedIn({ images }: BundleSpec): ReadonlyMap<string, CarriedName> {
  const named = new Map<string, CarriedName>();
  for (const one of images.map(carriedName)) {
    const other = named.get(one.name);
    if (one.reference !== undefined && other?.reference !== undefined) throw twoDigests(one, other);
    named.set(one.name, { ...other, ...one });
  }
  return named;
}

function twoDigests(one: CarriedName, other: CarriedName): AirgapError {
  const both = [other, one].map(({ reference = '' }) => reference).join(' and ');
  return new AirgapError('CONFIG_INVALID', `images: ${both} would both be carried as ${one.name}`, {
    hint: 'A tag names one image in the enclave: leave one of them out, or give the digest another tag.',
  });
}

interface Chosen {
  readonly selected: Pick<Selected, 'images' | 'notes'>;
  readonly selection?: LockedSelection;
}

const NOTHING: Chosen = { selected: { images: [], notes: [] } };

function selectedBy(
  elastic: NonNullable<BundleSpec['elastic']>,
  platforms: BundleSpec['platforms'],
  { catalogueFile, allowUnknownVersion = false }: WantedBySpecOptions,
): Chosen {
  const {
    eck,
    stack = [],
    components = [],
    flavour = 'default',
    packageRegistry = 'lite',
    monitoring = true,
  } = elastic;
  const catalogue = catalogueOf(catalogueFile);
  const diagnostics =
    elastic.diagnostics === true
      ? findComponent(catalogue, 'eck-diagnostics').version
      : elastic.diagnostics || undefined;
  const selected = selectImages({
    catalogue,
    platforms,
    flavour,
    packageRegistry,
    monitoring,
    allowUnknownVersion,
    eckVersion: eck,
    stackVersions: stack,
    components: components.map((component) => (typeof component === 'string' ? { name: component } : component)),
    ...(diagnostics === undefined ? {} : { eckDiagnostics: diagnostics }),
  });
  const selection: LockedSelection = {
    eck,
    stack,
    components: [...selected.components],
    flavour,
    packageRegistry,
    monitoring,
    ...(diagnostics === undefined ? {} : { diagnostics }),
    ...(catalogueFile === undefined ? {} : { catalogue: catalogueFile.text }),
  };
  return { selected, selection };
}
