// The shape of the catalogue: what Elastic publishes as images, as data with rules by version range. The data itself is in
// built-in.ts; a user file can change it (overrides.ts). Nothing here knows how ECK derives names (image-name.ts).
import { AirgapError } from '../core/errors.ts';
import type { EckImage, OperatorSettings } from './image-name.ts';
import { isInRange, type Version, type VersionRange } from './version.ts';

export const flavours = ['default', 'ubi', 'wolfi', 'fips', 'ubi-fips'] as const;

/** Which build of the images; a component that has no build of a flavour is taken in the default one. */
export type Flavour = (typeof flavours)[number];

interface FlavourRule {
  /** What it is, for people who choose one. */
  readonly title: string;
  /** Settings with which ECK derives the names of this flavour. */
  readonly settings: OperatorSettings;
  /** Flavours whose suffixes apply, the first that a component knows. */
  readonly suffixes: readonly Flavour[];
}

export const flavourRules: Readonly<Record<Flavour, FlavourRule>> = {
  default: { title: 'what Elastic publishes under the plain names', settings: {}, suffixes: ['default'] },
  ubi: {
    title: 'Red Hat UBI, which the default images are from 9.0.0 on',
    settings: { ubiOnly: true },
    suffixes: ['ubi', 'default'],
  },
  wolfi: {
    title: 'Wolfi, a minimal base',
    settings: { containerSuffix: '-wolfi' },
    suffixes: ['wolfi', 'default'],
  },
  fips: { title: 'the FIPS build of the operator', settings: {}, suffixes: ['fips', 'default'] },
  'ubi-fips': {
    title: 'the FIPS build of the operator on UBI, everything else as with "ubi"',
    settings: { ubiOnly: true },
    suffixes: ['ubi-fips', 'ubi', 'default'],
  },
};

/** The first rule whose range holds the version counts. */
interface ByVersion {
  readonly versions?: VersionRange;
}

export interface RepositoryRule extends ByVersion {
  /** Below docker.elastic.co. */
  readonly repository: string;
}

export interface SuffixRule extends ByVersion {
  /** Appended to the repository. */
  readonly suffix?: string;
  /** Appended to the tag. */
  readonly tagSuffix?: string;
}

export interface PlatformRule extends ByVersion {
  readonly platforms: readonly string[];
}

/** Which versions a release of ECK supports (its README; the code's limits where they are narrower). */
export interface SupportRule {
  readonly eck: VersionRange;
  readonly versions: VersionRange;
}

export interface Resource {
  readonly kind: string;
  readonly apiVersion: string;
  /** The image ECK runs for it. */
  readonly image: EckImage;
  /** Versions with `.spec.monitoring`: ECK can add Metricbeat and Filebeat of the same version to their pods. */
  readonly monitored?: VersionRange;
}

export interface Component {
  readonly name: string;
  readonly title: string;
  /** Whose version its tag is: the Stack's, ECK's, or one of its own. */
  readonly follows: 'stack' | 'eck' | 'own';
  /** The newest known version of one that follows its own. */
  readonly version?: string;
  readonly repositories: readonly RepositoryRule[];
  /** Suffixes by flavour. A flavour that is named here, and has no rule for a version, does not exist in that version. */
  readonly suffixes?: Partial<Readonly<Record<Flavour, readonly SuffixRule[]>>>;
  /** linux/amd64 and linux/arm64 where no rule holds. */
  readonly platforms?: readonly PlatformRule[];
  /** The ECK resource that runs it. */
  readonly resource?: Resource;
  /** Absent: it runs without ECK, and every version goes with every ECK. */
  readonly support?: readonly SupportRule[];
  /** Runs as a plain Deployment too, where ECK does not manage it. */
  readonly standalone?: boolean;
  /** Path below registry1.dso.mil/ironbank. Iron Bank builds for linux/amd64 alone. */
  readonly ironBank?: string;
  /** What a person who chooses it should know. */
  readonly note?: string;
}

/** Minor versions of Kubernetes or OpenShift, both ends included. */
export interface MinorRange {
  readonly from: string;
  readonly to: string;
}

export interface EckRelease {
  readonly eck: VersionRange & { readonly from: string };
  readonly kubernetes: MinorRange;
  readonly openshift: MinorRange;
}

/** The image that eck-diagnostics runs unless it is told another; its own versions as range. */
export interface DiagnosticsRelease {
  readonly eckDiagnostics: VersionRange;
  readonly supportDiagnostics: string;
}

/** A public key that vouches for what Elastic publishes. */
export interface SigningKey {
  /** Its name as a file, upstream and in a bundle. */
  readonly name: string;
  /** OpenPGP fingerprint, upper-case hex: what a fetched key is held against. */
  readonly fingerprint: string;
  /** Where it is published; under its name on artifacts.elastic.co by default. */
  readonly url?: string;
}

export interface Catalogue {
  readonly components: readonly Component[];
  /** The first that holds a version counts. */
  readonly eckReleases: readonly EckRelease[];
  /** The newest minor of each major of the Stack that the tables know: `9.5`. */
  readonly stackLines: readonly string[];
  /** The newest known patch of recent minors, the newest first: what is offered to a person. No rule asks it. */
  readonly stackReleases: readonly string[];
  readonly diagnostics: readonly DiagnosticsRelease[];
  /** Never trusted because the host that serves the files serves them too. */
  readonly signingKeys: readonly SigningKey[];
  /** Exact version of ECK to the version of chart eck-stack that goes with it. */
  readonly stackCharts: Readonly<Record<string, string>>;
}

/** @throws COMPONENT_UNKNOWN */
export function findComponent(catalogue: Catalogue, name: string): Component {
  const component = catalogue.components.find((entry) => entry.name === name);
  if (component !== undefined) return component;
  const known = catalogue.components.map((entry) => entry.name).join(', ');
  throw new AirgapError('COMPONENT_UNKNOWN', `the catalogue has no component ${JSON.stringify(name.slice(0, 100))}`, {
    hint: `Choose from ${known}; or add it in a catalogue file of your own.`,
    details: { component: name },
  });
}

/** Whether ECK can run monitoring sidecars beside it. */
export function isMonitored({ resource }: Component, version: Version): boolean {
  return resource?.monitored !== undefined && isInRange(version, resource.monitored);
}
