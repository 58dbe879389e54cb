// An image of a misbehaving registry, locked as `lock` does it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveImage } from '../../src/build/resolve.ts';
import { openSources } from '../../src/build/sources.ts';
import type { LockedImage } from '../../src/bundle/lock.ts';
import { openCache } from '../../src/oci/cache.ts';
import type { FaultyRegistry } from './faulty-registry.ts';
import { randomImage, type Graph } from './random-image.ts';
import { FakeClock, NAME } from './registry-bench.ts';

/** Puts an image there, under the tag v1. */
export function publish({ memory }: FaultyRegistry, graph: Graph = randomImage('published')): Graph {
  for (const { descriptor, bytes } of graph.blobs) {
    if (/manifest|index/.test(descriptor.mediaType))
      memory.putManifest(NAME, { mediaType: descriptor.mediaType, bytes }, 'v1');
    else memory.putBlob(NAME, bytes);
  }
  return graph;
}

/** What the lock would pin for the tag v1, for linux/amd64 by default. */
export async function lockPublished(
  server: FaultyRegistry,
  platforms: 'all' | readonly string[] = ['linux/amd64'],
): Promise<LockedImage> {
  const folder = await mkdtemp(join(tmpdir(), 'eck-airgap-lock-'));
  const sources = openSources({ registry: { retries: 0, clock: new FakeClock() }, mirrors: {} });
  try {
    const cache = await openCache(folder, { self: { pid: process.pid, isAlive: () => false } });
    const policy = { signatures: {}, keys: new Map() };
    return await resolveImage(`${server.host}/${NAME}:v1`, { cache, sources, platforms, policy });
  } finally {
    await sources.close();
    await rm(folder, { recursive: true, force: true });
  }
}
