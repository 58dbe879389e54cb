// The answers that a new airgap.yaml is made from: what is taken where nobody was asked, and whether the catalogue can
// deliver it. What is written of them is in starter-spec.ts.
import { AirgapError } from '../core/errors.ts';
import { API_VERSION } from '../bundle/manifest.ts';
import { parseSpec } from '../bundle/spec.ts';
import { builtInCatalogue } from '../catalog/built-in.ts';
import { eckReleasesByAge } from '../catalog/compatibility.ts';
import type { Component, Flavour } from '../catalog/components.ts';
import type { PackageRegistryMode } from '../catalog/published.ts';
import { wantedBySpec, type WantedBySpec } from './wanted-by-spec.ts';

export interface StarterAnswers {
  readonly name: string;
  readonly eck: string;
  readonly stack: readonly string[];
  readonly components: readonly string[];
  /** `all` alone stands for whatever each image has. */
  readonly platforms: readonly string[];
  readonly flavour: Flavour;
  readonly packageRegistry: PackageRegistryMode;
  readonly monitoring: boolean;
  readonly diagnostics: boolean;
}

/** What is known so far. */
export type GivenAnswers = Partial<StarterAnswers>;

export interface StarterOptions {
  /** Name of the bundle where none is given; `site-alpha` by default. */
  readonly name?: string;
  readonly allowUnknownVersion?: boolean;
}

/** A component that a person can be offered. */
export interface Offer {
  readonly component: Component;
  /** Why it cannot be had with the other answers. */
  readonly fault?: AirgapError;
}

/**
 * What is given, and for the rest: Elasticsearch and Kibana for linux/amd64, in the newest known ECK and then the newest known
 * Stack with which all goes together; the newest of both where nothing does.
 */
export function completed(given: GivenAnswers, options: StarterOptions = {}): StarterAnswers {
  const { stackReleases } = builtInCatalogue;
  const releases = eckReleasesByAge(builtInCatalogue).toReversed();
  const ecks = given.eck === undefined ? releases.map(({ eck }) => eck.from) : [given.eck];
  const stacks = given.stack === undefined ? stackReleases.map((version) => [version]) : [given.stack];
  const newest: StarterAnswers = {
    name: options.name ?? 'site-alpha',
    eck: ecks[0] ?? '',
    stack: stacks[0] ?? [],
    components: ['elasticsearch', 'kibana'],
    platforms: ['linux/amd64'],
    flavour: 'default',
    packageRegistry: 'lite',
    monitoring: true,
    diagnostics: false,
    ...given,
  };
  const others = ecks.flatMap((eck) => stacks.map((stack) => ({ ...newest, eck, stack })));
  return others.find((answers) => faultOf(answers, options) === undefined) ?? newest;
}

/** Known releases of the Stack that go with the other answers, the newest first. */
export function stackReleasesFor(answers: StarterAnswers, options: StarterOptions = {}): readonly string[] {
  return builtInCatalogue.stackReleases.filter(
    (version) => faultOf({ ...answers, stack: [version] }, options) === undefined,
  );
}

/** airgap.yaml as a value. */
export function specOf(answers: StarterAnswers) {
  const { name, platforms, eck, stack, components, flavour, packageRegistry, monitoring, diagnostics } = answers;
  return {
    apiVersion: API_VERSION,
    kind: 'BundleSpec',
    metadata: { name },
    platforms: platforms.length === 1 && platforms[0] === 'all' ? 'all' : platforms,
    elastic: {
      ...{ eck, stack, components, flavour, packageRegistry, monitoring },
      ...(diagnostics ? { diagnostics } : {}),
    },
  } as const;
}

/** The images that will be carried. @throws CONFIG_INVALID, and what `selectImages` refuses */
export function wantedByAnswers(answers: StarterAnswers, options: StarterOptions = {}): WantedBySpec {
  return wantedBySpec(parseSpec(JSON.stringify(specOf(answers)), 'what is asked for'), options);
}

/** Why these answers cannot go together; undefined where they can. */
export function faultOf(answers: StarterAnswers, options: StarterOptions = {}): AirgapError | undefined {
  try {
    wantedByAnswers(answers, options);
    return undefined;
  } catch (error) {
    if (error instanceof AirgapError) return error;
    throw error;
  }
}

/** Every component but those that come along by themselves, and what speaks against each. */
export function offers(answers: StarterAnswers, options: StarterOptions = {}): Offer[] {
  const unasked = wantedByAnswers({ ...completed({}), components: [], diagnostics: true });
  const theirs = new Set(unasked.images.flatMap(({ uses = [] }) => uses.map(({ component }) => component)));
  return builtInCatalogue.components
    .filter(({ name }) => !theirs.has(name))
    .map((component) => {
      const fault = faultOf({ ...answers, components: [component.name] }, options);
      return fault === undefined ? { component } : { component, fault };
    });
}

/** A name of a bundle out of any text, such as that of a folder; undefined where nothing of it can be one. */
export function bundleNameFrom(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return name === '' ? undefined : name;
}
