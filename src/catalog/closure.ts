// The closure of a deployment: every image name that the operator will put into pods for given resources and settings.
// What a manifest names in `.spec.image` is taken as it is; sidecars are derived all the same. Held against the names a
// registry or bundle has, it proves that no pod waits for an image that was not carried.
import { findComponent, isMonitored, type Catalogue } from './components.ts';
import { eckImageName, managesImage, type EckImage, type OperatorSettings } from './image-name.ts';
import { formatVersion, parseVersion, type Version } from './version.ts';

/** A resource of ECK as its manifest has it. */
export interface DeployedResource {
  /** Name of the component that it runs. */
  readonly component: string;
  /** `.spec.version` */
  readonly version: string;
  /** `.spec.image` */
  readonly image?: string;
  /** Whether `.spec.monitoring` names a cluster; true by default where the resource has it. */
  readonly monitored?: boolean;
}

export interface ClosureOptions {
  readonly eckVersion: string;
  readonly settings: OperatorSettings;
  readonly catalogue: Catalogue;
}

export interface PodImage {
  readonly image: string;
  readonly component: string;
  readonly version: string;
  readonly from: 'spec.image' | 'operator';
}

/**
 * By name, each once. What ECK does not manage (its own operator, a plain Deployment) has no part in it.
 * @throws COMPONENT_UNKNOWN, VERSION_INVALID, CONFIG_INVALID
 */
export function closure(resources: readonly DeployedResource[], options: ClosureOptions): readonly PodImage[] {
  const eck = parseVersion(options.eckVersion);
  const images = resources.flatMap((resource) => imagesOf(resource, eck, options));
  const byName = new Map(images.map((image) => [image.image, image]));
  return [...byName.values()].sort((a, b) => (a.image < b.image ? -1 : 1));
}

/** What of the closure `available` lacks, compared as text. */
export function missingFrom(available: ReadonlySet<string>, images: readonly PodImage[]): readonly PodImage[] {
  return images.filter(({ image }) => !available.has(image));
}

function imagesOf(deployed: DeployedResource, eck: Version, options: ClosureOptions): PodImage[] {
  const component = findComponent(options.catalogue, deployed.component);
  const { resource } = component;
  if (resource === undefined || !managesImage(eck, resource.image)) return [];
  const version = parseVersion(deployed.version);
  const derive = (name: string, image: EckImage): PodImage => ({
    image: eckImageName(eck, options.settings, image, version),
    component: name,
    version: formatVersion(version),
    from: 'operator',
  });
  const own: PodImage =
    deployed.image === undefined
      ? derive(deployed.component, resource.image)
      : { image: deployed.image, component: deployed.component, version: formatVersion(version), from: 'spec.image' };
  const monitored = isMonitored(component, version) && (deployed.monitored ?? true);
  return [own, ...(monitored ? [derive('metricbeat', 'metricbeat'), derive('filebeat', 'filebeat')] : [])];
}
