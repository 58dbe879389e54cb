// The way out where a source does not have an image: the entry of `sources` (airgap.yaml) that takes it from elsewhere.
import { parseReference } from '../oci/reference.ts';

/** What to write for images that their source does not have. */
export function anotherSource(names: readonly string[]): string {
  const entries = names.map((name) => {
    const { registry, repository } = parseReference(name);
    return `"${registry}/${repository}": { registry: ${registry} }`;
  });
  return `Take it from elsewhere (under "sources" in airgap.yaml: ${[...new Set(entries)].join(', ')}), or leave it out.`;
}
