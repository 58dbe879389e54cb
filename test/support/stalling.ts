// Registries that stop in the middle of a transfer, and say when.
import { serveRegistry, type RunningRegistry } from '../../src/registry/server/server.ts';
import type { RegistryStore } from '../../src/registry/server/store.ts';

/** A promise that is kept from outside. */
export function occasion(): { readonly reached: Promise<void>; readonly reach: () => void } {
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  return { reached, reach: () => reach() };
}

/** A store whose blobs stop in the middle. */
export function stallingDownloads(store: RegistryStore, stalled: () => void): RegistryStore {
  return {
    repositories: () => store.repositories(),
    repository: async (name) => {
      const repository = await store.repository(name);
      return (
        repository && {
          ...repository,
          async *open(digest, start, end) {
            for await (const bytes of repository.open(digest, start, end)) {
              if ((await repository.blobSize(digest)) === undefined) {
                yield bytes;
                continue;
              }
              yield bytes.subarray(0, 10);
              stalled();
              await new Promise(() => undefined);
            }
          },
        }
      );
    },
  };
}

/** A store that takes no upload to its end. */
export function stallingUploads(store: Required<RegistryStore>, stalled: () => void): RegistryStore {
  return {
    repositories: () => store.repositories(),
    repository: (name) => store.repository(name),
    writable: async (name) => ({
      ...(await store.writable(name)),
      appendUpload: async () => {
        stalled();
        return new Promise(() => undefined);
      },
    }),
  };
}

export async function withServer<T>(store: RegistryStore, task: (server: RunningRegistry) => Promise<T>): Promise<T> {
  const server = await serveRegistry(store, { host: '127.0.0.1', port: 0 });
  try {
    return await task(server);
  } finally {
    await server.close();
  }
}
