// Where images come from: one Registry for each host, fetched through its mirror where one is named.
import { Registry, type RegistryOptions } from '../registry/registry.ts';
import type { Repository } from '../registry/repository.ts';
import type { Reference } from '../oci/reference.ts';

export interface SourceOptions {
  /** What holds for every host: CA, credentials, TLS flags. */
  readonly registry: RegistryOptions;
  /** Registry host to mirror URL. */
  readonly mirrors: Readonly<Record<string, string>>;
}

export interface Sources {
  repository(reference: Pick<Reference, 'registry' | 'repository'>): Repository;
  close(): Promise<void>;
}

export function openSources(options: SourceOptions): Sources {
  const registries = new Map<string, Registry>();
  const registry = (host: string): Registry => {
    const known = registries.get(host);
    if (known) return known;
    const mirror = options.mirrors[host];
    const opened = new Registry(host, mirror === undefined ? options.registry : { ...options.registry, mirror });
    registries.set(host, opened);
    return opened;
  };
  return {
    repository: (reference) => registry(reference.registry).repository(reference.repository),
    close: async () => {
      await Promise.all([...registries.values()].map((opened) => opened.close()));
    },
  };
}
