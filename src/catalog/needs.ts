// What an installation from a bundle will pull, from the lock alone: the names that the operator derives for each chosen
// component and its sidecars, the images that are run under the name they are given, those that a carried manifest or chart
// names. Whether they are there is for proof.ts.
import { describeUse, type Lock, type LockedImage, type LockedSelection } from '../bundle/lock.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { carriedName } from './carried-name.ts';
import { closure } from './closure.ts';
import { findComponent, flavourRules, type Catalogue, type Component } from './components.ts';
import { ELASTIC_REGISTRY } from './image-name.ts';
import { catalogueIn } from './overrides.ts';
import { publishedName, publishedPlatforms } from './published.ts';
import { diagnosticsImages } from './select.ts';
import { parseVersion, type Version } from './version.ts';

/** The operator's setting that says where images are: their paths kept, or all of them below one path. */
export const settings = ['container-registry', 'container-repository'] as const;
export type Setting = (typeof settings)[number];

/** The one path that stands for any: `load --flatten NAME`. */
export const FLATTENED = 'elastic';

export interface Need {
  /** Full original name, as published or as a manifest writes it: what airgap.yaml would have to name. */
  readonly name: string;
  /** Those of the chosen platforms that it is published for. */
  readonly platforms: readonly string[];
  /** Who asks for it, without full stop. */
  readonly neededBy: string;
  /** What the operator derives, as `repository:tag` below the registry; absent where the name that is given is taken. */
  readonly derived?: Readonly<Record<Setting, string>>;
  /** The component and version whose use in the lock says that its resource names its image. */
  readonly use?: { readonly component: string; readonly version: string };
}

interface Context {
  readonly selection: LockedSelection;
  readonly catalogue: Catalogue;
  readonly lock: Lock;
}

/** @throws CONFIG_INVALID, COMPONENT_UNKNOWN, VERSION_UNSUPPORTED, REFERENCE_INVALID for a lock that was not made by `lock` */
export function needsOf(lock: Lock): Need[] {
  const chosen = lock.selection === undefined ? [] : selectionNeeds(lock.selection, lock);
  const named = [...chosen, ...carriedNeeds(lock)];
  const known = new Set(named.map(({ name }) => carriedName(name).name));
  const others = lock.images.filter(({ name }) => !known.has(name));
  return [
    ...named,
    ...others.map((image) => ({ name: image.name, platforms: image.platforms, neededBy: asker(image) })),
  ];
}

/** A chart that belongs to a release says so; what says nothing was named by a person. */
function asker({ uses: [use] = [] }: LockedImage): string {
  return use === undefined ? 'airgap.yaml' : describeUse(use);
}

function selectionNeeds(selection: LockedSelection, lock: Lock): Need[] {
  const catalogue = catalogueIn(selection);
  const context = { selection, catalogue, lock };
  const operator = findComponent(catalogue, 'eck-operator');
  const diagnostics = selection.diagnostics === undefined ? [] : diagnosticsImages(selection.diagnostics, catalogue);
  return [
    publishedNeed(operator, parseVersion(selection.eck), { context, neededBy: `ECK ${selection.eck}` }),
    ...selection.components.flatMap(({ name, version }) => componentNeeds(name, version, context)),
    ...diagnostics.map(({ component, version, why }) => publishedNeed(component, version, { context, neededBy: why })),
  ];
}

/** The image of a component and those of its sidecars, as the operator derives them; its own name where no operator runs it. */
function componentNeeds(name: string, version: string, context: Context): Need[] {
  const { selection, catalogue } = context;
  const component = findComponent(catalogue, name);
  const title = `${component.title} ${version}`;
  const pods = (containerRepository?: string) =>
    closure([{ component: name, version, monitored: selection.monitoring }], {
      eckVersion: selection.eck,
      settings: { ...flavourRules[selection.flavour].settings, ...(containerRepository && { containerRepository }) },
      catalogue,
    });
  const flattened = new Map(pods(FLATTENED).map((pod) => [pod.component, pod.image]));
  const derived = pods().map((pod): Need => {
    const own = pod.component === name;
    const image = findComponent(catalogue, pod.component);
    return {
      ...publishedNeed(image, parseVersion(pod.version), {
        context,
        neededBy: own ? title : `Stack monitoring of ${title}`,
      }),
      derived: {
        'container-registry': belowRegistry(pod.image),
        'container-repository': belowRegistry(flattened.get(pod.component) ?? pod.image),
      },
      ...(own ? { use: { component: name, version } } : {}),
    };
  });
  if (derived.length > 0) return derived;
  return [publishedNeed(component, parseVersion(version), { context, neededBy: title })];
}

function publishedNeed(
  component: Component,
  version: Version,
  { context, neededBy }: { context: Context; neededBy: string },
): Need {
  const { selection, lock } = context;
  const name = publishedName(component, version, selection);
  const published = publishedPlatforms(component, version);
  const platforms = platformsOf(name, lock).filter(
    (platform) => lock.platforms === 'all' || published.includes(platform),
  );
  return { name, platforms, neededBy };
}

/** Those that were chosen; where whatever there is was chosen, those that the lock found. */
function platformsOf(name: string, { platforms, images }: Lock): readonly string[] {
  if (platforms !== 'all') return platforms;
  return images.find((image) => image.name === name)?.platforms ?? [];
}

/** What carried files and charts name, as full references. */
function carriedNeeds(lock: Lock): Need[] {
  return [...lock.files, ...lock.images].flatMap(({ name: neededBy, images = [] }) =>
    images.map((image) => {
      const name = formatReference(parseReference(image));
      return { name, platforms: platformsOf(name, lock), neededBy };
    }),
  );
}

/** Derived with the default container-registry, which is that of the published names. */
function belowRegistry(image: string): string {
  return image.slice(ELASTIC_REGISTRY.length + 1);
}
