// Entries of airgap.yaml that are told apart by what the names of images begin with.
import { parseReference } from '../oci/reference.ts';

/** Whether the name begins with the prefix, by whole components. */
export function isBelowPrefix(name: string, prefix: string): boolean {
  return longestPrefix(name, { [prefix]: true }) === true;
}

/** What stands under the longest key that the name begins with, by whole components. */
export function longestPrefix<T>(name: string, entries: Readonly<Record<string, T>>): T | undefined {
  const { registry, repository } = parseReference(name);
  const components = `${registry}/${repository}`.split('/');
  for (let length = components.length; length > 0; length--) {
    const key = components.slice(0, length).join('/');
    if (Object.hasOwn(entries, key)) return entries[key];
  }
  return undefined;
}
