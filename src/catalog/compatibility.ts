// What works together: ECK with the Stack, with Kubernetes and with OpenShift, by the tables of a catalogue. Three answers:
// it does (undefined returned), it cannot (VERSION_UNSUPPORTED), or it is newer than the tables (VERSION_UNKNOWN, which
// `allowUnknownVersion` turns into the newest rules).
import { AirgapError } from '../core/errors.ts';
import type { Catalogue, Component, EckRelease, MinorRange } from './components.ts';
import {
  compareVersions,
  describeRange,
  formatVersion,
  hasReached,
  isInRange,
  parseMinor,
  parseVersion,
  type Version,
} from './version.ts';

export interface CompatibilityOptions {
  readonly catalogue: Catalogue;
  /** Take what is newer than the tables for what it is likeliest to be; false by default. */
  readonly allowUnknownVersion?: boolean;
}

export type Orchestrator = 'kubernetes' | 'openshift';

/** @throws VERSION_UNSUPPORTED for one older than the tables, VERSION_UNKNOWN for a newer one */
export function checkEck(eck: Version, options: CompatibilityOptions): void {
  releaseOf(eck, options);
}

/**
 * Whether `version` of the Stack can be of this world: not newer than the tables, minor by minor.
 * @throws VERSION_UNKNOWN
 */
export function checkStack(version: Version, { catalogue, allowUnknownVersion }: CompatibilityOptions): void {
  const lines = catalogue.stackLines.map((line) => parseVersion(`${line}.0`)).sort(compareVersions);
  const line = lines.find(({ major }) => major === version.major);
  const newest = lines.at(-1);
  const newer = line ? version.minor > line.minor : newest !== undefined && compareVersions(version, newest) > 0;
  if (!newer || allowUnknownVersion) return;
  const known = line ?? newest;
  throw unknown(`Stack ${formatVersion(version)}`, known === undefined ? 'none' : `${known.major}.${known.minor}`);
}

/** @throws VERSION_UNSUPPORTED where this ECK does not run `component` in `version`; no flag changes that */
export function checkComponent(component: Component, version: Version, eck: Version): void {
  const rules = component.support;
  if (rules === undefined) return;
  const held = rules.filter((rule) => isInRange(eck, rule.eck));
  if (held.length === 0 && component.standalone) return;
  if (held.some((rule) => isInRange(version, rule.versions))) return;
  const what = `${component.name} ${formatVersion(version)}`;
  const supported = held.map((rule) => describeRange(rule.versions)).join('; ');
  const others = rules.filter((rule) => isInRange(version, rule.versions)).map((rule) => describeRange(rule.eck));
  throw new AirgapError('VERSION_UNSUPPORTED', `ECK ${formatVersion(eck)} does not support ${what}`, {
    hint:
      (supported === '' ? `This ECK does not manage ${component.title}. ` : `It supports ${supported}. `) +
      (others.length > 0 ? `${what} takes ECK ${others.join(' or ')}.` : `No ECK in the tables supports ${what}.`),
    details: { component: component.name, version: formatVersion(version), eck: formatVersion(eck) },
  });
}

/** @throws VERSION_UNSUPPORTED, VERSION_UNKNOWN, or VERSION_INVALID for what is no version at all */
export function checkOrchestrator(
  name: Orchestrator,
  version: string,
  eck: Version,
  options: CompatibilityOptions,
): void {
  const minor = parseMinor(version);
  const range = releaseOf(eck, options)[name];
  if (contains(range, minor)) return;
  const title = name === 'kubernetes' ? 'Kubernetes' : 'OpenShift';
  const all = eckReleasesByAge(options.catalogue);
  if (all.every((release) => minor > parseMinor(release[name].to))) {
    if (options.allowUnknownVersion) return;
    throw unknown(`${title} ${version}`, highest(all.map((release) => release[name])));
  }
  const fitting = all.filter((release) => contains(release[name], minor)).map((release) => release.eck.from);
  throw new AirgapError('VERSION_UNSUPPORTED', `ECK ${formatVersion(eck)} does not support ${title} ${version}`, {
    hint:
      `It supports ${title} ${range.from} to ${range.to}. ` +
      (fitting.length > 0
        ? `For ${version} take an ECK such as ${fitting.at(-1) ?? ''}.`
        : `No ECK in the tables does.`),
    details: { [name]: version, eck: formatVersion(eck), expected: range },
  });
}

/** The row of the tables for this ECK; the last one before it, where it is past them and let through. */
function releaseOf(eck: Version, { catalogue, allowUnknownVersion }: CompatibilityOptions): EckRelease {
  const found = catalogue.eckReleases.find((release) => isInRange(eck, release.eck));
  if (found !== undefined) return found;
  const sorted = eckReleasesByAge(catalogue);
  const before = sorted.findLast((release) => hasReached(eck, release.eck.from));
  if (before !== undefined) {
    if (allowUnknownVersion) return before;
    throw unknown(`ECK ${formatVersion(eck)}`, before.eck.from);
  }
  throw new AirgapError('VERSION_UNSUPPORTED', `ECK ${formatVersion(eck)} is not supported`, {
    hint: `Take ECK ${sorted[0]?.eck.from ?? ''} or newer.`,
    details: { eck: formatVersion(eck) },
  });
}

/** What the tables know of ECK, from the oldest to the newest. */
export function eckReleasesByAge({ eckReleases }: Catalogue): readonly EckRelease[] {
  return [...eckReleases].sort((a, b) => compareVersions(parseVersion(a.eck.from), parseVersion(b.eck.from)));
}

function contains(range: MinorRange, minor: number): boolean {
  return parseMinor(range.from) <= minor && minor <= parseMinor(range.to);
}

function highest(ranges: readonly MinorRange[]): string {
  return (
    ranges
      .map(({ to }) => to)
      .sort((a, b) => parseMinor(a) - parseMinor(b))
      .at(-1) ?? ''
  );
}

function unknown(what: string, newest: string): AirgapError {
  return new AirgapError('VERSION_UNKNOWN', `${what} is newer than the tables, which end at ${newest}`, {
    hint: 'Pass --allow-unknown-version to apply the newest rules to it, or add it in a catalogue file of your own.',
    details: { newest },
  });
}
