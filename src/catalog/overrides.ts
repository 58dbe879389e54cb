// A catalogue file of one's own: entries that add to the built-in tables or take the place of one, for versions and images
// that came after this release. Unknown keys are refused with path, expected and found.
import type * as v from 'valibot';
import { parseDocument } from '../bundle/document.ts';
import { AirgapError } from '../core/errors.ts';
import { builtInCatalogue } from './built-in.ts';
import { CatalogueSchema } from './catalogue-schema.ts';
import type { Catalogue, Component, SigningKey } from './components.ts';

export type CatalogueFile = v.InferOutput<typeof CatalogueSchema>;

/** @throws CONFIG_INVALID with every fault by path */
export function parseCatalogueFile(text: string, where: string): CatalogueFile {
  return parseDocument(CatalogueSchema, text, where);
}

export interface CatalogueText {
  readonly text: string;
  /** Names the file in messages. */
  readonly where: string;
}

/** The built-in catalogue, with the entries of a file over it where there is one. @throws CONFIG_INVALID */
export function catalogueOf(file: CatalogueText | undefined): Catalogue {
  return file === undefined
    ? builtInCatalogue
    : withOverrides(builtInCatalogue, parseCatalogueFile(file.text, file.where));
}

/** The catalogue that a choice was made with, as the lock keeps it. @throws CONFIG_INVALID */
export function catalogueIn({ catalogue }: { readonly catalogue?: string | undefined }): Catalogue {
  return catalogueOf(
    catalogue === undefined ? undefined : { text: catalogue, where: 'the catalogue file in the lock' },
  );
}

/** The catalogue with the entries of a file over its own. @throws CONFIG_INVALID for a new component without repository */
export function withOverrides(catalogue: Catalogue, file: CatalogueFile): Catalogue {
  return {
    ...catalogue,
    components: (file.components ?? []).reduce(putComponent, catalogue.components),
    eckReleases: [...(file.eckReleases ?? []), ...catalogue.eckReleases],
    stackLines: putLines(catalogue.stackLines, file.stackLines ?? []),
    diagnostics: [...(file.diagnostics ?? []), ...catalogue.diagnostics],
    signingKeys: putKeys(catalogue.signingKeys, file.signingKeys ?? []),
    stackCharts: { ...catalogue.stackCharts, ...file.stackCharts },
  };
}

type ComponentEntry = NonNullable<CatalogueFile['components']>[number];

function putComponent(components: readonly Component[], entry: ComponentEntry): readonly Component[] {
  const known = components.find(({ name }) => name === entry.name);
  if (known !== undefined) return components.map((old) => (old === known ? { ...old, ...entry } : old));
  if (entry.repositories === undefined) {
    throw new AirgapError('CONFIG_INVALID', `component ${entry.name}: expected repositories, found nothing`, {
      hint: 'A component that the built-in catalogue does not have needs at least one repository.',
    });
  }
  return [...components, { title: entry.name, follows: 'own', ...entry, repositories: entry.repositories }];
}

function putLines(lines: readonly string[], more: readonly string[]): readonly string[] {
  const major = (line: string): string => line.slice(0, line.indexOf('.'));
  return [...lines.filter((line) => !more.some((other) => major(other) === major(line))), ...more];
}

function putKeys(keys: readonly SigningKey[], more: readonly SigningKey[]): readonly SigningKey[] {
  return [...keys.filter(({ name }) => !more.some((other) => other.name === name)), ...more];
}
