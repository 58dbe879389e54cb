// From airgap.yaml to the images that the lock resolves: those that follow from the catalogue, and those named one by one.
import { builtInCatalogue } from '../catalog/built-in.ts';
import { findComponent, type Catalogue } from '../catalog/components.ts';
import { parseCatalogueFile, withOverrides } from '../catalog/overrides.ts';
import { selectImages, type Selected } from '../catalog/select.ts';
import type { ImageUse } from '../catalog/wanted.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import type { WantedPlatforms } from './resolve.ts';

export interface CatalogueText {
  readonly text: string;
  /** Names the file in messages. */
  readonly where: string;
}

export interface WantedBySpecOptions {
  readonly catalogueFile?: CatalogueText | undefined;
  readonly allowUnknownVersion?: boolean;
}

export interface WantedBySpecImage {
  readonly name: string;
  readonly platforms: WantedPlatforms;
  readonly uses?: readonly ImageUse[];
  /** Iron Bank's build of it. */
  readonly ironBank?: string;
}

export interface WantedBySpec {
  /** By name, each once. */
  readonly images: readonly WantedBySpecImage[];
  /** What a person should know about the choice. */
  readonly notes: readonly string[];
}

/** @throws CONFIG_INVALID for the catalogue file, and what `selectImages` refuses */
export function wantedBySpec(spec: BundleSpec, options: WantedBySpecOptions): WantedBySpec {
  const selected = selectedBy(spec, options);
  const chosen: readonly WantedBySpecImage[] = selected.images;
  const more = spec.images
    .filter((name) => !chosen.some((image) => image.name === name))
    .map((name) => ({ name, platforms: spec.platforms }));
  return { images: [...chosen, ...more].sort((a, b) => (a.name < b.name ? -1 : 1)), notes: selected.notes };
}

function selectedBy({ elastic, platforms }: BundleSpec, options: WantedBySpecOptions): Selected {
  if (elastic === undefined) return { images: [], notes: [] };
  const { eck, stack = [], components = [], diagnostics, ...rest } = elastic;
  const catalogue = catalogueOf(options.catalogueFile);
  const eckDiagnostics = diagnostics === true ? findComponent(catalogue, 'eck-diagnostics').version : diagnostics;
  return selectImages({
    ...rest,
    catalogue,
    platforms,
    eckVersion: eck,
    stackVersions: stack,
    components: components.map((component) => (typeof component === 'string' ? { name: component } : component)),
    allowUnknownVersion: options.allowUnknownVersion ?? false,
    ...(eckDiagnostics === undefined ? {} : { eckDiagnostics }),
  });
}

function catalogueOf(file: CatalogueText | undefined): Catalogue {
  if (file === undefined) return builtInCatalogue;
  return withOverrides(builtInCatalogue, parseCatalogueFile(file.text, file.where));
}
