// Where images and files come from: one Registry for each host, and the web servers; each fetched through its mirror where
// one is named.
import { Registry, type RegistryOptions } from '../registry/registry.ts';
import type { Repository } from '../registry/repository.ts';
import { openWebFiles, type WebFiles } from '../registry/web-files.ts';
import type { Reference } from '../oci/reference.ts';

export interface SourceOptions {
  /** What holds for every host: CA, credentials, TLS flags. */
  readonly registry: RegistryOptions;
  /** Host (of a registry, of downloads) to mirror URL. */
  readonly mirrors: Readonly<Record<string, string>>;
}

export interface Sources {
  repository(reference: Pick<Reference, 'registry' | 'repository'>): Repository;
  readonly web: WebFiles;
  close(): Promise<void>;
}

/** @throws TLS_FAILED (ca) */
export function openSources(options: SourceOptions): Sources {
  const registries = new Map<string, Registry>();
  const web = openWebFiles({ ...options.registry, mirrors: options.mirrors });
  const registry = (host: string): Registry => {
    const known = registries.get(host);
    if (known) return known;
    const mirror = options.mirrors[host];
    const opened = new Registry(host, mirror === undefined ? options.registry : { ...options.registry, mirror });
    registries.set(host, opened);
    return opened;
  };
  return {
    web,
    repository: (reference) => registry(reference.registry).repository(reference.repository),
    close: async () => {
      await Promise.all([web, ...registries.values()].map((opened) => opened.close()));
    },
  };
}
