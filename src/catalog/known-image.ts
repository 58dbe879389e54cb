// What the catalogue knows of an image that something names: a manifest, a chart. Names that no component has are unknown.
import { isAirgapError } from '../core/errors.ts';
import { parseReference } from '../oci/reference.ts';
import type { Catalogue, Component } from './components.ts';
import { ironBankName, publishedName, publishedPlatforms } from './published.ts';
import { isVersion, parseVersion } from './version.ts';

export interface KnownImage {
  readonly component: string;
  /** Those it is published for. */
  readonly platforms: readonly string[];
  /** Iron Bank's build of it. */
  readonly ironBank?: string;
}

/** @param name full reference; known only where it is that of a default build, which is what manifests name */
export function knownImage(name: string, catalogue: Catalogue): KnownImage | undefined {
  const { tag = '' } = parseReference(name);
  if (!isVersion(tag)) return undefined;
  const version = parseVersion(tag);
  const component = catalogue.components.find((candidate) => defaultName(candidate, tag) === name);
  if (component === undefined) return undefined;
  const ironBank = ironBankName(component, version, 'default');
  const platforms = publishedPlatforms(component, version);
  return { component: component.name, platforms, ...(ironBank === undefined ? {} : { ironBank }) };
}

function defaultName(component: Component, version: string): string | undefined {
  try {
    return publishedName(component, parseVersion(version), { flavour: 'default', packageRegistry: 'full' });
  } catch (error) {
    if (isAirgapError(error, 'VERSION_UNSUPPORTED')) return undefined;
    throw error;
  }
}
