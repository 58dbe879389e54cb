// The names under which Elastic publishes images on docker.elastic.co, and Iron Bank its builds of them: by component,
// version and flavour, after the rules of the catalogue. How ECK asks for them is in image-name.ts.
import { AirgapError } from '../core/errors.ts';
import { flavourRules, type Component, type Flavour, type SuffixRule } from './components.ts';
import { ELASTIC_REGISTRY, packageRegistryVersion } from './image-name.ts';
import { describeRange, formatVersion, isInRange, type Version, type VersionRange } from './version.ts';

export type PackageRegistryMode = 'full' | 'lite';

export interface PublishedOptions {
  readonly flavour: Flavour;
  /** All packages, or the small set that ECK takes by default. */
  readonly packageRegistry: PackageRegistryMode;
}

export const IRON_BANK = 'registry1.dso.mil/ironbank';

/** What Iron Bank publishes for. */
export const IRON_BANK_PLATFORM = 'linux/amd64';
const IRON_BANK_FLAVOURS: readonly Flavour[] = ['default', 'ubi'];

/** What an image is published for where no rule says otherwise. */
export const USUAL_PLATFORMS: readonly string[] = ['linux/amd64', 'linux/arm64'];

/**
 * The full name, with registry and tag.
 * @throws VERSION_UNSUPPORTED where the version exists in no, or not in this, flavour
 */
export function publishedName(component: Component, version: Version, options: PublishedOptions): string {
  const rule = firstFor(component.repositories, version);
  if (rule === undefined) {
    const ranges = component.repositories.map(({ versions }) => describeRange(versions ?? {})).join('; ');
    throw new AirgapError('VERSION_UNSUPPORTED', `${component.name} has no version ${formatVersion(version)}`, {
      hint: `It exists in ${ranges}.`,
    });
  }
  const { suffix = '', tagSuffix = '' } = suffixFor(component, version, options.flavour);
  const tag = tagOf(component, version, { ...options, ubi: tagSuffix !== '' });
  return `${ELASTIC_REGISTRY}/${rule.repository}${suffix}:${tag}${tagSuffix}`;
}

/** The platforms it is published for. */
export function publishedPlatforms(component: Component, version: Version): readonly string[] {
  return firstFor(component.platforms ?? [], version)?.platforms ?? USUAL_PLATFORMS;
}

/**
 * Where Iron Bank keeps it, for linux/amd64; its paths are not those of docker.elastic.co. Absent where it has none: its
 * builds are UBI, so they stand in for no image of another flavour.
 */
export function ironBankName(component: Component, version: Version, flavour: Flavour): string | undefined {
  if (component.ironBank === undefined || !IRON_BANK_FLAVOURS.includes(flavour)) return undefined;
  return `${IRON_BANK}/${component.ironBank}:${formatVersion(version)}`;
}

function tagOf(component: Component, version: Version, options: PublishedOptions & { readonly ubi: boolean }): string {
  if (component.name !== 'package-registry') return formatVersion(version);
  if (options.packageRegistry === 'lite') return `lite-${packageRegistryVersion(version, options.ubi)}`;
  return options.ubi ? packageRegistryVersion(version, true) : formatVersion(version);
}

function suffixFor(component: Component, version: Version, flavour: Flavour): SuffixRule {
  for (const name of flavourRules[flavour].suffixes) {
    const rules = component.suffixes?.[name];
    if (rules === undefined) continue;
    const rule = firstFor(rules, version);
    if (rule !== undefined) return rule;
    throw new AirgapError(
      'VERSION_UNSUPPORTED',
      `${component.name} ${formatVersion(version)} is not published in the flavour ${name}`,
      {
        hint: `It is in ${rules.map(({ versions }) => describeRange(versions ?? {})).join('; ')}. Choose another version or flavour.`,
        details: { component: component.name, version: formatVersion(version), flavour },
      },
    );
  }
  return {};
}

function firstFor<T extends { readonly versions?: VersionRange }>(
  rules: readonly T[],
  version: Version,
): T | undefined {
  return rules.find(({ versions }) => isInRange(version, versions ?? {}));
}
