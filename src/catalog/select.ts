// From what a person chooses (versions, components, flavour, platforms) to the images that a bundle must hold: those
// chosen, and those that come with them without being named. A pure value; `lock` resolves it.
import { AirgapError } from '../core/errors.ts';
import { builtInCatalogue } from './built-in.ts';
import { checkComponent, checkEck, checkStack } from './compatibility.ts';
import { findComponent, isMonitored, type Catalogue, type Component, type Flavour } from './components.ts';
import { managesImage } from './image-name.ts';
import type { PackageRegistryMode } from './published.ts';
import { formatVersion, isInRange, parseVersion, type Version } from './version.ts';
import { wantedImages, type Want, type WantedImage } from './wanted.ts';

export interface ChosenComponent {
  readonly name: string;
  /** In place of the versions that it would follow. */
  readonly version?: string;
}

export interface Selection {
  readonly eckVersion: string;
  readonly stackVersions: readonly string[];
  readonly components: readonly ChosenComponent[];
  readonly flavour?: Flavour;
  /** `linux/amd64` by default; `all` for whatever each image has. */
  readonly platforms?: 'all' | readonly string[];
  /** `lite`, as ECK takes it by default. */
  readonly packageRegistry?: PackageRegistryMode;
  /** Images of Stack monitoring for what can be monitored; true by default. */
  readonly monitoring?: boolean;
  /** Version of eck-diagnostics to carry the images of; none by default. */
  readonly eckDiagnostics?: string;
  readonly allowUnknownVersion?: boolean;
  readonly catalogue?: Catalogue;
}

export interface Selected {
  /** What was chosen, in each version that follows from the choice. */
  readonly components: readonly { readonly name: string; readonly version: string }[];
  /** By name, each once. */
  readonly images: readonly WantedImage[];
  /** What a person should know about the choice, each a sentence without full stop. */
  readonly notes: readonly string[];
}

interface Context extends Required<Omit<Selection, 'eckDiagnostics'>> {
  readonly eck: Version;
}

/** @throws VERSION_INVALID, VERSION_UNSUPPORTED, VERSION_UNKNOWN, COMPONENT_UNKNOWN, PLATFORM_MISSING */
export function selectImages(selection: Selection): Selected {
  const context = withDefaults(selection);
  checkEck(context.eck, context);
  const stack = context.stackVersions.map(parseVersion);
  for (const version of stack) checkStack(version, context);
  const chosen = context.components.flatMap((choice) => wantsOf(choice, stack, context));
  const operator = { component: find(context, 'eck-operator'), version: context.eck, why: 'the operator itself' };
  const wants = [operator, ...chosen, ...sidecars(chosen, context), ...diagnostics(selection, context)];
  const images = wantedImages(wants, context);
  return { components: namesOf(chosen), images, notes: notesOn(chosen, context) };
}

function withDefaults(selection: Selection): Context {
  return {
    flavour: 'default',
    platforms: ['linux/amd64'],
    packageRegistry: 'lite',
    monitoring: true,
    allowUnknownVersion: false,
    catalogue: builtInCatalogue,
    ...selection,
    eck: parseVersion(selection.eckVersion),
  };
}

function wantsOf(choice: ChosenComponent, stack: readonly Version[], context: Context): Want[] {
  const component = find(context, choice.name);
  return versionsOf(choice, component, stack, context).map((version) => {
    if (component.follows === 'stack') checkStack(version, context);
    checkComponent(component, version, context.eck);
    return { component, version, why: 'chosen' };
  });
}

function versionsOf(
  choice: ChosenComponent,
  component: Component,
  stack: readonly Version[],
  context: Context,
): readonly Version[] {
  if (choice.version !== undefined) return [parseVersion(choice.version)];
  if (component.follows === 'stack' && stack.length > 0) return stack;
  if (component.follows === 'eck') return [context.eck];
  if (component.version !== undefined) return [parseVersion(component.version)];
  throw new AirgapError('VERSION_INVALID', `no version is given for ${component.name}`, {
    hint:
      component.follows === 'stack'
        ? 'Name a Stack version, or give the component a version of its own.'
        : 'It has versions of its own: name the one to carry.',
  });
}

function sidecars(wants: readonly Want[], context: Context): Want[] {
  if (!context.monitoring) return [];
  return wants
    .filter(({ component, version }) => isMonitored(component, version))
    .flatMap(({ component, version }) =>
      ['metricbeat', 'filebeat'].map((name) => ({
        component: find(context, name),
        version,
        why: `Stack monitoring of ${component.title} runs it as a sidecar`,
      })),
    );
}

/** By name and version, each once. */
function namesOf(wants: readonly Want[]): Selected['components'] {
  const chosen = wants.map(({ component: { name }, version }) => ({ name, version: formatVersion(version) }));
  const byText = new Map(chosen.map((one) => [`${one.name} ${one.version}`, one]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function diagnostics({ eckDiagnostics }: Selection, { catalogue }: Context): Want[] {
  return eckDiagnostics === undefined ? [] : diagnosticsImages(eckDiagnostics, catalogue);
}

/** The images of diagnostics: as eck-diagnostics runs it, and on its own. @throws VERSION_INVALID, VERSION_UNSUPPORTED */
export function diagnosticsImages(eckDiagnostics: string, catalogue: Catalogue): Want[] {
  const version = parseVersion(eckDiagnostics);
  const release = catalogue.diagnostics.find((entry) => isInRange(version, entry.eckDiagnostics));
  if (release === undefined) {
    throw new AirgapError('VERSION_UNSUPPORTED', `eck-diagnostics ${eckDiagnostics} is not supported`, {
      hint: `Take ${catalogue.diagnostics[0]?.eckDiagnostics.from ?? 'another version'} or newer.`,
    });
  }
  const alone = findComponent(catalogue, 'support-diagnostics');
  return [
    {
      component: findComponent(catalogue, 'eck-support-diagnostics'),
      version: parseVersion(release.supportDiagnostics),
      why: `eck-diagnostics ${eckDiagnostics} runs it (--diagnostic-image)`,
    },
    {
      component: alone,
      version: parseVersion(alone.version ?? release.supportDiagnostics),
      why: 'diagnostics without eck-diagnostics',
    },
  ];
}

function notesOn(wants: readonly Want[], context: Context): string[] {
  const has = (name: string): boolean => wants.some(({ component }) => component.name === name);
  const notes = wants.flatMap(({ component: { note } }) => note ?? []);
  if (has('package-registry') && !managesImage(context.eck, 'package-registry')) {
    notes.push(`ECK ${context.eckVersion} does not manage a package registry: run it as a Deployment`);
  }
  if ((has('elastic-agent') || has('fleet-server')) && !has('package-registry')) {
    notes.push('Fleet needs packages: without package-registry, agents can only run on their own');
  }
  return [...new Set(notes)];
}

function find(context: Context, name: string): Component {
  return findComponent(context.catalogue, name);
}
