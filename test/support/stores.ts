// Registries over each kind of writable store, with what they own removed again.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskStore } from '../../src/registry/server/disk-store.ts';
import { memoryStore } from '../../src/registry/server/memory-store.ts';
import { serveRegistry, type RunningRegistry, type ServeOptions } from '../../src/registry/server/server.ts';
import type { RegistryStore } from '../../src/registry/server/store.ts';

export type StoreKind = 'memory' | 'disk';
export const STORE_KINDS: readonly StoreKind[] = ['memory', 'disk'];

export interface Registries {
  /** Of the one store on disk. */
  readonly folder: string;
  serve(store: StoreKind | RegistryStore, options?: Partial<ServeOptions>): Promise<RunningRegistry>;
  end(): Promise<void>;
}

export async function openRegistries(): Promise<Registries> {
  const folder = await mkdtemp(join(tmpdir(), 'eck-airgap-server-'));
  const running: RunningRegistry[] = [];
  const made = async (kind: StoreKind): Promise<RegistryStore> => (kind === 'disk' ? diskStore(folder) : memoryStore());
  return {
    folder,
    serve: async (store, options = {}) => {
      const opened = typeof store === 'string' ? await made(store) : store;
      const registry = await serveRegistry(opened, { host: '127.0.0.1', port: 0, ...options });
      running.push(registry);
      return registry;
    },
    end: async () => {
      await Promise.all(running.map((registry) => registry.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
