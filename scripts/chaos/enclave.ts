// What a registry holds, read from its store: what each tag names, and whether all of it is there.
import type { Digest } from '../../src/core/digest.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { AirgapError } from '../../src/core/errors.ts';
import type { Fetcher } from '../../src/oci/target.ts';
import type { RegistryStore, RepositoryStore } from '../../src/registry/server/store.ts';
import { validateGraph } from '../../test/support/validate-graph.ts';

/** Digest of what each tag names, by `repository:tag`. */
export type Tags = ReadonlyMap<string, Digest>;

export async function tagsOf(store: RegistryStore): Promise<Tags> {
  const found = new Map<string, Digest>();
  for (const { name, root } of await tagged(store)) found.set(name, root.digest);
  return found;
}

/** Of each tag, what of it is missing or is not what it should be: every byte below it is read. */
export async function incompleteTags(store: RegistryStore): Promise<string[]> {
  const faults: string[] = [];
  for (const { name, root, repository } of await tagged(store))
    faults.push(
      ...(await validateGraph(ownContent(repository), root)).map((fault) => `${name} is not whole: ${fault}`),
    );
  return faults;
}

interface Tagged {
  readonly name: string;
  readonly root: Descriptor;
  readonly repository: RepositoryStore;
}

async function tagged(store: RegistryStore): Promise<Tagged[]> {
  const found: Tagged[] = [];
  for (const path of await store.repositories()) {
    const repository = await store.repository(path);
    for (const tag of (await repository?.tags()) ?? []) {
      const root = await repository?.manifest(tag);
      if (!repository || !root) throw new Error(`${path}:${tag} names nothing`);
      found.push({ name: `${path}:${tag}`, root, repository });
    }
  }
  return found;
}

/** A store opens content whoever owns it; a client gets only what is this repository's. */
function ownContent(repository: RepositoryStore): Fetcher {
  return {
    async *fetch({ digest }) {
      const own = (await repository.blobSize(digest)) ?? (await repository.manifest(digest));
      if (own === undefined) throw new AirgapError('CONTENT_MISSING', `${digest} is not in the repository`);
      yield* repository.open(digest);
    },
  };
}
