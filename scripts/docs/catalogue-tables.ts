// What the built-in catalogue knows, as tables: components, flavours, versions.
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import { eckReleasesByAge } from '../../src/catalog/compatibility.ts';
import { flavourRules, flavours, type Component } from '../../src/catalog/components.ts';
import { USUAL_PLATFORMS } from '../../src/catalog/published.ts';
import {
  compareVersions,
  describeRange,
  formatVersion,
  isInRange,
  parseVersion,
  type VersionRange,
} from '../../src/catalog/version.ts';
import { cell, markdownTable } from './markdown.ts';

type Span = VersionRange & { readonly from: string };

/** One column for each span of ECK releases that the rules tell apart. */
export function componentTable(): string {
  const spans = eckSpans();
  return markdownTable(
    [
      'name',
      'what it is',
      'ECK kind',
      ...spans.map((eck) => `with ECK ${describeRange(eck)}`),
      'flavours',
      'platforms',
    ],
    builtInCatalogue.components.map((component) => [
      `\`${component.name}\``,
      lines([component.title, ...(component.note === undefined ? [] : [component.note])]),
      component.resource?.kind ?? '',
      ...spans.map((eck) => cell(versionsWith(eck, component))),
      lines(flavoursOf(component)),
      lines(platformsOf(component)),
    ]),
  );
}

export function flavourTable(): string {
  return markdownTable(
    ['flavour', 'what it is'],
    flavours.map((flavour) => [`\`${flavour}\``, cell(flavourRules[flavour].title)]),
  );
}

export function versionTable(): string {
  const releases = eckReleasesByAge(builtInCatalogue).toReversed();
  const eck = markdownTable(
    ['ECK from', 'Kubernetes', 'OpenShift'],
    releases.map(({ eck, kubernetes, openshift }) => [
      eck.from,
      `${kubernetes.from} to ${kubernetes.to}`,
      `${openshift.from} to ${openshift.to}`,
    ]),
  );
  const { stackLines, stackReleases } = builtInCatalogue;
  return `${eck}\n\nThe last minor of each major of the Stack: ${stackLines.join(', ')}. Newest known releases: ${stackReleases.join(', ')}.`;
}

/** From one version of ECK at which a rule begins or ends to the next, as far as there are releases. */
function eckSpans(): Span[] {
  const rules = builtInCatalogue.components.flatMap(({ support = [] }) => support);
  const bounds = [...new Set(rules.flatMap(({ eck }) => [eck.from, eck.until].filter((bound) => bound !== undefined)))]
    .map(parseVersion)
    .sort(compareVersions)
    .map(formatVersion);
  const releases = builtInCatalogue.eckReleases.map(({ eck }) => parseVersion(eck.from));
  return bounds
    .map((from, i) => ({ from, ...(bounds[i + 1] === undefined ? {} : { until: bounds[i + 1]! }) }))
    .filter((span) => releases.some((release) => isInRange(release, span)));
}

function versionsWith({ from }: Span, { follows, version, support, standalone, repositories }: Component): string {
  if (follows === 'eck') return "ECK's own";
  if (follows === 'own') return version === undefined ? 'of its own' : `of its own: ${version}`;
  const published = joined(repositories.map(({ versions }) => versions ?? {}));
  if (support === undefined) return `${published.map(describeRange).join('; ')}, without ECK`;
  const rule = support.find(({ eck }) => isInRange(parseVersion(from), eck));
  return rule === undefined ? (standalone ? 'any, as a Deployment' : '') : describeRange(rule.versions);
}

function flavoursOf({ suffixes = {} }: Component): string[] {
  const named = flavours.filter((flavour) => flavour !== 'default' && suffixes[flavour] !== undefined);
  return named.map((flavour) => {
    const spans = joined((suffixes[flavour] ?? []).map(({ versions }) => versions ?? {}));
    const open = spans.some(({ from, until }) => from === undefined && until === undefined);
    return open ? flavour : `${flavour}: ${spans.map(describeRange).join('; ')}`;
  });
}

/** Ranges of which each begins where the one before ends, as one. */
function joined(ranges: readonly VersionRange[]): VersionRange[] {
  const spans: VersionRange[] = [];
  for (const range of ranges) {
    const last = spans.at(-1);
    const goesOn = last?.until !== undefined && last.until === range.from;
    if (!goesOn) spans.push(range);
    else spans[spans.length - 1] = span(last.from, range.until);
  }
  return spans;
}

function span(from: string | undefined, until: string | undefined): VersionRange {
  return { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
}

function platformsOf({ platforms = [] }: Component): string[] {
  const rules = platforms.map((rule) => `${rule.platforms.join(', ')}: ${describeRange(rule.versions ?? {})}`);
  return [...rules, USUAL_PLATFORMS.join(', ')];
}

function lines(texts: readonly string[]): string {
  return texts.map(cell).join('<br>');
}
