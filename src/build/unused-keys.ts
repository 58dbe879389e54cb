// Entries of airgap.yaml that fit nothing of what is carried: a demanded signature that is never checked, a source or mirror
// that nothing is taken from. Each is a slip of the pen that would go unnoticed, so it is refused.
import { AirgapError } from '../core/errors.ts';
import { didYouMean } from '../core/similar.ts';
import type { LockedFile, LockedImage } from '../bundle/lock.ts';
import type { BundleSpec } from '../bundle/spec.ts';
import { parseReference } from '../oci/reference.ts';
import { isBelowPrefix } from './name-prefix.ts';

/** What the lock carries, as far as the entries can fit it. */
export interface Carried {
  /** With the reference that each is taken from, where that is not its name. */
  readonly images: readonly { readonly name: string; readonly from?: string | undefined }[];
  readonly charts: readonly LockedImage[];
  readonly files: readonly LockedFile[];
}

/** Where what follows from "elastic" is published: a mirror of one serves other choices than the one of today. */
const ELASTIC_HOSTS: readonly string[] = [
  'artifacts.elastic.co',
  'artifacts.security.elastic.co',
  'docker.elastic.co',
  'download.elastic.co',
  'github.com',
  'helm.elastic.co',
  'registry1.dso.mil',
];

/**
 * Returns what to warn of: mirrors of hosts that nothing comes from, and that are no likely slip.
 * @throws CONFIG_INVALID naming each key that fits nothing
 */
export function requireUsedKeys(spec: BundleSpec, carried: Carried): string[] {
  const names = carried.images.map(({ name }) => name);
  const mirrors = mirrorFaults(spec, carried);
  const slips = mirrors.filter(({ meant: name }) => name !== '');
  const faults = [
    ...prefixFaults('signatures', spec, names),
    ...prefixFaults('sources', spec, names),
    ...slips.map(({ key, meant: name }) => `mirrors.${key}: nothing comes from this host${name}`),
  ];
  if (faults.length > 0) throw fitsNothing(faults);
  const others = mirrors.map(({ key }) => key);
  return others.length === 0 ? [] : [`nothing comes from ${others.join(', ')}, which "mirrors" of airgap.yaml names`];
}

function mirrorFaults(spec: BundleSpec, carried: Carried): { key: string; meant: string }[] {
  const used = hostsOf(spec, carried);
  const hosts = [...new Set([...used, ...ELASTIC_HOSTS])];
  const unused = Object.keys(spec.mirrors).filter((key) => !hosts.includes(key));
  return unused.map((key) => ({ key, meant: meant(key, hosts) }));
}

function prefixFaults(entry: 'signatures' | 'sources', spec: BundleSpec, names: readonly string[]): string[] {
  const unused = Object.keys(spec[entry]).filter((key) => !names.some((name) => isBelowPrefix(name, key)));
  const prefixes = [...new Set(names.flatMap(prefixesOf))];
  return unused.map((key) => `${entry}.${key}: no image that is carried has a name below it${meant(key, prefixes)}`);
}

/** All that a key could be to fit the name. */
function prefixesOf(name: string): string[] {
  const { registry, repository } = parseReference(name);
  const components = [registry, ...repository.split('/')];
  return components.map((_, i) => components.slice(0, i + 1).join('/'));
}

function hostsOf({ files, charts }: BundleSpec, carried: Carried): Set<string> {
  const registries = carried.images.map(({ name, from = name }) => parseReference(from).registry);
  const urls = [
    ...files.map(({ url }) => url),
    ...charts.map(({ repository }) => repository),
    ...carried.files.map(({ url }) => url),
    ...carried.charts.map(({ chart }) => chart?.url),
    ...[...carried.files, ...carried.charts].map(({ verified }) =>
      verified !== 'none' && verified.by === 'checksum' ? verified.from : undefined,
    ),
  ];
  return new Set([...registries, ...urls.flatMap((url) => URL.parse(url ?? '')?.host ?? [])]);
}

/** The name that was meant, as the rest of a sentence: that of another port, or the nearest. */
function meant(key: string, names: readonly string[]): string {
  const named = names.find((name) => withoutPort(name) === withoutPort(key));
  return named === undefined ? didYouMean(key, names) : `; did you mean ${JSON.stringify(named)}?`;
}

function withoutPort(name: string): string {
  return name.replace(/^([^/]*?):[0-9]+/, '$1');
}

function fitsNothing(faults: readonly string[]): AirgapError {
  return new AirgapError('CONFIG_INVALID', `airgap.yaml has entries that fit nothing: ${faults.join('; ')}`, {
    hint: 'Correct each, or take it out: an entry that has no effect is never passed over.',
    details: { faults },
  });
}
