// Where it is killed: an upstream with large images, an enclave, a lock and a key, and a reference run of each command that nothing
// disturbed.
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../src/core/digest.ts';
import { Registry } from '../../src/registry/registry.ts';
import { diskStore } from '../../src/registry/server/disk-store.ts';
import { memoryStore } from '../../src/registry/server/memory-store.ts';
import type { RegistryStore } from '../../src/registry/server/store.ts';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { pushGraph } from '../../test/support/random-image.ts';
import { chaosImages, type Published, type Sizes } from './images.ts';
import { meteredRegistry, type MeteredRegistry } from './metered-registry.ts';

export interface Site {
  readonly folder: string;
  readonly program: string;
  readonly upstream: MeteredRegistry;
  /** What the upstream serves. */
  readonly published: Required<RegistryStore>;
  readonly enclave: MeteredRegistry;
  /** Every blob and manifest of the images. */
  readonly content: ReadonlyMap<Digest, Buffer>;
  close(): Promise<void>;
}

/** What every folder of a run begins with. */
const SEEDS = ['airgap.yaml', 'airgap.key', 'airgap.pub'];
export const LOCK = 'airgap.lock.yaml';

export async function openSite(folder: string, program: string, sizes: Sizes): Promise<Site> {
  const [upstream, enclave] = [await meteredRegistry(), await meteredRegistry()];
  const close = async (): Promise<void> => {
    await Promise.all([upstream.close(), enclave.close()]);
  };
  try {
    return { folder, program, upstream, enclave, close, ...(await fill({ folder, upstream, sizes })) };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Filling {
  readonly folder: string;
  readonly upstream: MeteredRegistry;
  readonly sizes: Sizes;
}

/** Publishes the images, and writes the seeds. */
async function fill({ folder, upstream, sizes }: Filling): Promise<Pick<Site, 'published' | 'content'>> {
  const images = chaosImages(sizes);
  const published = memoryStore();
  upstream.serve(published);
  await publish(images, upstream.host);
  // a signature of this kind is the same each time, and so is every file of the media
  const keys = generateKeyPair({ algorithm: 'ed25519' });
  const spec = {
    apiVersion: 'eck-airgap/v1',
    kind: 'BundleSpec',
    metadata: { name: 'site-alpha' },
    platforms: ['linux/amd64'],
    images: images.filter(({ named }) => named).map(({ repository, tag }) => `docker.elastic.co/${repository}:${tag}`),
    mirrors: { 'docker.elastic.co': `http://${upstream.host}` },
  };
  const seeds = join(folder, 'seeds');
  await mkdir(seeds, { recursive: true });
  await writeFile(join(seeds, 'airgap.yaml'), JSON.stringify(spec));
  await writeFile(join(seeds, 'airgap.key'), keys.privatePem, { mode: 0o600 });
  await writeFile(join(seeds, 'airgap.pub'), keys.publicPem);
  return {
    published,
    content: new Map(
      images.flatMap(({ graph }) => graph.blobs.map(({ descriptor, bytes }) => [descriptor.digest, bytes])),
    ),
  };
}

async function publish(images: readonly Published[], host: string): Promise<void> {
  const registry = new Registry(host);
  try {
    for (const { repository, tag, graph } of images) await pushGraph(registry.repository(repository), graph, tag);
  } finally {
    await registry.close();
  }
}

/** A new folder with airgap.yaml and the keys. */
export async function newFolder(site: Site, name: string): Promise<string> {
  const folder = join(site.folder, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'tmp'), { recursive: true });
  for (const seed of SEEDS) await copyFile(join(site.folder, 'seeds', seed), join(folder, seed));
  return folder;
}

/** An empty registry on disk, served from now on. */
export async function newEnclave(site: Site): Promise<Required<RegistryStore>> {
  const folder = join(site.folder, 'enclave');
  await rm(folder, { recursive: true, force: true });
  const store = await diskStore(folder);
  site.enclave.serve(store, site.content);
  return store;
}
