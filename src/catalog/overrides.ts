// A catalogue file of one's own: entries that add to the built-in tables or take the place of one, for versions and images
// that came after this release. Unknown keys are refused with path, expected and found.
import * as v from 'valibot';
import { parseDocument } from '../bundle/document.ts';
import { API_VERSION, FileName } from '../bundle/manifest.ts';
import { WebAddress } from '../bundle/spec.ts';
import { AirgapError } from '../core/errors.ts';
import { isRepository, isTag } from '../oci/reference.ts';
import { builtInCatalogue } from './built-in.ts';
import { flavours, type Catalogue, type Component, type SigningKey } from './components.ts';
import { isEckImage, type EckImage } from './image-name.ts';
import { isVersion } from './version.ts';

const VersionText = v.pipe(v.string(), v.check(isVersion, 'is not a version such as 9.5.2'));
const MinorText = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,4}\.[0-9]{1,4}$/, 'is not major.minor in quotes, such as "1.34"'),
);
const Range = v.strictObject({ from: v.exactOptional(VersionText), until: v.exactOptional(VersionText) });
const MinorRange = v.strictObject({ from: MinorText, to: MinorText });
const Suffix = v.pipe(
  v.string(),
  v.check((text) => text === '' || (isTag(`x${text}`) && isRepository(`x${text}`)), 'cannot end a repository or tag'),
);
const Repository = v.pipe(v.string(), v.check(isRepository, 'is not a repository without host, such as kibana/kibana'));
const Name = v.pipe(v.string(), v.regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'is not a name of a-z, 0-9 and "-"'));
const ByVersion = { versions: v.exactOptional(Range) };
const Rules = <T extends v.GenericSchema>(rule: T) => v.pipe(v.array(rule), v.minLength(1, 'has no rule'));
const SuffixRules = Rules(
  v.strictObject({ ...ByVersion, suffix: v.exactOptional(Suffix), tagSuffix: v.exactOptional(Suffix) }),
);

const ComponentSchema = v.strictObject({
  name: Name,
  title: v.exactOptional(v.string()),
  /** Whose version is its tag; `own` for a new component. */
  follows: v.exactOptional(v.picklist(['stack', 'eck', 'own'])),
  version: v.exactOptional(VersionText),
  /** Required for a component that the built-in catalogue does not have. */
  repositories: v.exactOptional(Rules(v.strictObject({ ...ByVersion, repository: Repository }))),
  suffixes: v.exactOptional(v.strictObject(v.entriesFromList(flavours, v.exactOptional(SuffixRules)))),
  platforms: v.exactOptional(
    Rules(v.strictObject({ ...ByVersion, platforms: v.pipe(v.array(v.string()), v.minLength(1)) })),
  ),
  resource: v.exactOptional(
    v.strictObject({
      kind: v.string(),
      apiVersion: v.string(),
      image: v.custom<EckImage>((name) => typeof name === 'string' && isEckImage(name), 'is no image that ECK knows'),
      monitored: v.exactOptional(Range),
    }),
  ),
  support: v.exactOptional(Rules(v.strictObject({ eck: Range, versions: Range }))),
  standalone: v.exactOptional(v.boolean()),
  ironBank: v.exactOptional(Repository),
  note: v.exactOptional(v.string()),
});

const EckReleaseSchema = v.strictObject({
  eck: v.strictObject({ from: VersionText, until: v.exactOptional(VersionText) }),
  kubernetes: MinorRange,
  openshift: MinorRange,
});

const Fingerprint = v.pipe(
  v.string(),
  v.transform((text) => text.replaceAll(' ', '').toUpperCase()),
  v.regex(
    /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/,
    'is not a whole OpenPGP fingerprint: 40 hexadecimal digits (64 of a v6 key)',
  ),
);

const SigningKeySchema = v.strictObject({
  name: FileName,
  fingerprint: Fingerprint,
  /** Under its name on artifacts.elastic.co by default. */
  url: v.exactOptional(WebAddress),
});

export const CatalogueSchema = v.strictObject({
  apiVersion: v.literal(API_VERSION),
  kind: v.literal('Catalogue'),
  /** Keys of a component that is there take the place of its own. */
  components: v.exactOptional(v.array(ComponentSchema)),
  /** Each goes before the built-in rows, for the versions it names. */
  eckReleases: v.exactOptional(v.array(EckReleaseSchema)),
  /** Newest known minor of a major of the Stack. */
  stackLines: v.exactOptional(v.array(MinorText)),
  diagnostics: v.exactOptional(v.array(v.strictObject({ eckDiagnostics: Range, supportDiagnostics: VersionText }))),
  /** Keys that files are signed with; one takes the place of the built-in one of its name. */
  signingKeys: v.exactOptional(v.array(SigningKeySchema)),
  /** Exact version of ECK to the version of chart eck-stack that goes with it. */
  stackCharts: v.exactOptional(v.record(VersionText, VersionText)),
});

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
