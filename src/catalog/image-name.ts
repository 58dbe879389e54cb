// The image names that the ECK operator derives for the resources it manages, by ECK version and operator settings.
// It repeats what the operator does (pkg/controller/common/container at v2.16.0 … v3.5.0), names that do not exist
// included; what Elastic really publishes is in published.ts.
import { AirgapError } from '../core/errors.ts';
import { formatVersion, hasReached, isBefore, isInRange, type Version, type VersionRange } from './version.ts';

export const ELASTIC_REGISTRY = 'docker.elastic.co';

/** Settings of the operator (eck.yaml) that image names depend on. */
export interface OperatorSettings {
  /** `container-registry`: host, and a path where there is one; docker.elastic.co by default. */
  readonly containerRegistry?: string;
  /** `container-repository`: takes the place of the group in every name but the package registry's. */
  readonly containerRepository?: string;
  /** `container-suffix`: appended to the name, before the tag. Not with `ubiOnly`. */
  readonly containerSuffix?: string;
  /** `ubi-only` */
  readonly ubiOnly?: boolean;
}

/** A repository that ECK has in its code, and the versions of ECK and of the resource that it holds for. */
interface BuiltIn {
  readonly repository: string;
  readonly eck?: VersionRange;
  readonly versions?: VersionRange;
}

const BUILT_IN = {
  elasticsearch: [{ repository: 'elasticsearch/elasticsearch' }],
  kibana: [{ repository: 'kibana/kibana' }],
  'apm-server': [{ repository: 'apm/apm-server' }],
  'enterprise-search': [{ repository: 'enterprise-search/enterprise-search' }],
  filebeat: [{ repository: 'beats/filebeat' }],
  metricbeat: [{ repository: 'beats/metricbeat' }],
  heartbeat: [{ repository: 'beats/heartbeat' }],
  auditbeat: [{ repository: 'beats/auditbeat' }],
  packetbeat: [{ repository: 'beats/packetbeat' }],
  journalbeat: [{ repository: 'beats/journalbeat' }],
  'elastic-agent': [
    { repository: 'elastic-agent/elastic-agent', eck: { from: '3.0.0' }, versions: { from: '9.0.0' } },
    { repository: 'beats/elastic-agent' },
  ],
  'maps-server': [{ repository: 'elastic-maps-service/elastic-maps-server' }],
  logstash: [{ repository: 'logstash/logstash' }],
  'autoops-agent': [
    { repository: 'elastic-agent/elastic-otel-collector', eck: { from: '3.6.0' } },
    { repository: 'elastic-agent/elastic-otel-collector-wolfi', eck: { from: '3.3.0' } },
  ],
  'package-registry': [{ repository: 'package-registry/distribution', eck: { from: '3.3.0' } }],
} as const satisfies Record<string, readonly BuiltIn[]>;

/** What ECK has an image name for; ids are those of the catalogue's components. */
export type EckImage = keyof typeof BUILT_IN;

/** ECK before this appends -ubi to 9.x names too, which do not exist. */
const UBI_IS_DEFAULT_SINCE = '3.0.0';
/** From here on the suffix -wolfi is not appended to names that are Wolfi anyway (main branch; no release yet). */
const WOLFI_NATIVE_SINCE = '3.6.0';
const WOLFI_NATIVE: readonly EckImage[] = ['package-registry', 'enterprise-search'];

const UBI = '-ubi';

/** Those of `EckImage`. */
export const eckImages: readonly string[] = Object.keys(BUILT_IN);

export function isEckImage(name: string): name is EckImage {
  return Object.hasOwn(BUILT_IN, name);
}

/** Whether this ECK manages resources of that image at all. */
export function managesImage(eck: Version, image: EckImage): boolean {
  return builtIns(image).some((row) => isInRange(eck, row.eck ?? {}));
}

/** Whether ECK looks for a repository at its own path, whatever `container-repository` says: the package registry's. */
export function ignoresContainerRepository(repository: string): boolean {
  return builtIns('package-registry').some((row) => row.repository === repository);
}

/**
 * The name that ECK gives the container of a resource without `.spec.image`.
 * @param image one that this ECK manages (see `managesImage`)
 * @param version of the resource (`.spec.version`)
 * @throws CONFIG_INVALID where the operator would not start with these settings
 */
export function eckImageName(eck: Version, settings: OperatorSettings, image: EckImage, version: Version): string {
  const { containerRegistry = ELASTIC_REGISTRY, containerRepository = '' } = settings;
  const ubi = isUbiMode(settings);
  const suffix = suffixOf(eck, settings, image, version);
  const repository = builtInRepository(eck, image, version);
  if (image === 'package-registry') {
    return `${containerRegistry}/${repository}${ubi ? '' : suffix}:${liteTag(version, ubi)}`;
  }
  const path = containerRepository === '' ? repository : `${containerRepository}/${lastPart(repository)}`;
  return `${containerRegistry}/${path}${suffix}:${formatVersion(version)}`;
}

/** -ubi8 on the last versions that were named so, -ubi on later ones. */
function ubiSuffix(version: Version): string {
  const first = version.major === 7 ? '7.17.16' : version.major === 8 ? '8.12.0' : undefined;
  return first !== undefined && !hasReached(version, first) ? '-ubi8' : UBI;
}

/** Maps Server came as UBI alone, and for amd64 alone, before this version. */
const MAPS_MULTI_SINCE = '8.16.0';

/** The version whose package registry image stands in for one that has no lite, or no UBI, image. */
export function packageRegistryVersion(version: Version, ubi: boolean): string {
  if (!ubi) return isBefore(version, '8.15.1') ? '8.15.1' : formatVersion(version);
  if (isBefore(version, '8.19.8')) return '8.19.8';
  if (version.major === 9 && isBefore(version, '9.1.8')) return '9.1.8';
  if (version.major === 9 && version.minor > 1 && isBefore(version, '9.2.2')) return '9.2.2';
  return formatVersion(version);
}

function liteTag(version: Version, ubi: boolean): string {
  return `lite-${packageRegistryVersion(version, ubi)}${ubi ? UBI : ''}`;
}

function suffixOf(eck: Version, settings: OperatorSettings, image: EckImage, version: Version): string {
  const ubi = isUbiMode(settings);
  if (ubi && version.major >= 9 && hasReached(eck, UBI_IS_DEFAULT_SINCE)) return '';
  const forced = image === 'maps-server' && !hasReached(version, MAPS_MULTI_SINCE);
  const suffix = (ubi || forced ? ubiSuffix(version) : '') + (ubi ? '' : (settings.containerSuffix ?? ''));
  const native = WOLFI_NATIVE.includes(image) && hasReached(eck, WOLFI_NATIVE_SINCE);
  return native && suffix === '-wolfi' ? '' : suffix;
}

/** ECK takes a `container-suffix` of -ubi for `ubi-only`. */
function isUbiMode({ ubiOnly = false, containerSuffix = '' }: OperatorSettings): boolean {
  if (ubiOnly && containerSuffix !== '') {
    throw new AirgapError('CONFIG_INVALID', 'the operator does not start with both ubi-only and container-suffix', {
      hint: 'Set one of them.',
    });
  }
  return ubiOnly || containerSuffix === UBI;
}

function builtInRepository(eck: Version, image: EckImage, version: Version): string {
  const rows = builtIns(image);
  const row = rows.find((entry) => isInRange(eck, entry.eck ?? {}) && isInRange(version, entry.versions ?? {}));
  if (row === undefined) {
    throw new AirgapError('VERSION_UNSUPPORTED', `ECK ${formatVersion(eck)} does not manage ${image}`, {
      hint: `It takes ECK ${rows.at(-1)?.eck?.from ?? 'of another version'} or newer.`,
    });
  }
  return row.repository;
}

function builtIns(image: EckImage): readonly BuiltIn[] {
  return BUILT_IN[image];
}

function lastPart(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}
