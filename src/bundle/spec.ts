// airgap.yaml (BundleSpec): what an administrator asks for. Which host the same content is really fetched from (mirrors) is
// not part of what is asked for, so two sites with different mirrors make the same lock and the same bundle. Where other
// content of the same name is taken from (sources) is part of it.
import type * as v from 'valibot';
import { canonicalJson } from '../core/canonical-json.ts';
import { digestOf, type Digest } from '../core/digest.ts';
import { recordableUrl } from '../core/url-text.ts';
import { nameHost } from '../oci/reference.ts';
import { notValid, parseDocument } from './document.ts';
import { BundleSpecSchema } from './spec-schema.ts';

export type BundleSpec = v.InferOutput<typeof BundleSpecSchema>;
export type ImageSource = BundleSpec['sources'][string];
export type FileSource = BundleSpec['files'][number];
export type ChartSource = BundleSpec['charts'][number];

const NOTHING = 'document: expected "elastic", "images" or "charts", found none of them';

/**
 * Parses airgap.yaml; image references, platforms and hosts come out in their full form, each once.
 * @param onNote is called with what a person should know of how it was read
 * @throws CONFIG_INVALID
 */
export function parseSpec(text: string, where: string, onNote?: (message: string) => void): BundleSpec {
  const spec = parseDocument(BundleSpecSchema, text, where);
  if (spec.elastic === undefined && spec.images.length + spec.charts.length === 0) throw notValid([NOTHING], where);
  const context = { where, onNote };
  return {
    ...spec,
    images: [...new Set(spec.images)].sort(),
    sources: byHost('sources', spec.sources, context),
    signatures: byHost('signatures', spec.signatures, context),
    mirrors: byHost('mirrors', spec.mirrors, context),
    platforms: spec.platforms === 'all' ? 'all' : [...new Set(spec.platforms)].sort(),
  };
}

/** Hosts have no case, and Docker Hub's are one: two entries that are then the same are a fault. */
function byHost<T>(
  entry: string,
  table: Readonly<Record<string, T>>,
  { where, onNote }: { where: string; onNote: ((message: string) => void) | undefined },
): Record<string, T> {
  const entries = new Map<string, T>();
  for (const [key, value] of Object.entries(table)) {
    const [host = '', ...path] = key.split('/');
    const canonical = [nameHost(host), ...path].join('/');
    if (entries.has(canonical)) throw notValid([`${entry}.${key}: it is the same as another key, ${canonical}`], where);
    if (canonical !== key) onNote?.(`${where}: ${entry}.${key} is taken as ${canonical}, as names of images have it`);
    entries.set(canonical, value);
  }
  return Object.fromEntries(entries);
}

/** Texts of the files that a specification names and that decide what is carried, or what is trusted. */
export interface SpecTexts {
  /** The catalogue file (`elastic.catalogue`). */
  readonly catalogue?: string | undefined;
  /** Public keys by path (`signatures`). */
  readonly keys?: Readonly<Record<string, string>>;
}

/**
 * Identifies what is asked for, so that a lock made from another specification is noticed. The query of a URL is left out:
 * it may be a secret that is not to be found out from the digest, and a signature that is made anew every hour.
 */
export function specDigest(spec: BundleSpec, { catalogue, keys = {} }: SpecTexts = {}): Digest {
  const { metadata, platforms, images, files, elastic, sources, charts, signatures } = spec;
  return digestOf(
    canonicalJson({
      name: metadata.name,
      platforms,
      images,
      files: files.map(withoutQuery),
      ...(elastic === undefined ? {} : { elastic }),
      ...(charts.length === 0 ? {} : { charts: charts.map(withoutQuery) }),
      ...(Object.keys(sources).length === 0 ? {} : { sources }),
      ...(Object.keys(signatures).length === 0 ? {} : { signatures }),
      ...(catalogue === undefined ? {} : { catalogue: digestOf(Buffer.from(catalogue)) }),
      ...(Object.keys(keys).length === 0 ? {} : { keys }),
    }),
  );
}

function withoutQuery<T extends FileSource | ChartSource>(source: T): T {
  const { url, repository } = source as Partial<FileSource & ChartSource>;
  return {
    ...source,
    ...(url === undefined ? {} : { url: recordableUrl(url) }),
    ...(repository === undefined ? {} : { repository: recordableUrl(repository) }),
  };
}
