// Pushing to a registry that misbehaves: what the tests of the fault table for uploads share.
import type { RegistryOptions } from '../../src/registry/registry.ts';
import type { FaultyRegistryOptions } from './faulty-registry.ts';
import { header } from './memory-registry.ts';
import { bench, CHUNK, NAME, sample, sampleBytes, type Bench, type Sample } from './registry-bench.ts';

/** Chunks of `large`. */
export const CHUNKS = 10;
export const SIZE = CHUNKS * CHUNK;
/** Pushed in chunks. */
export const large = sample();
/** Pushed in one request. */
export const small = sample(sampleBytes(CHUNK, 'small'));
/** Paths of uploads. */
export const UPLOADS = /\/blobs\/uploads\//;

export interface Pushing extends Bench {
  /** Pushes and answers what progress was told in all. */
  push(blob?: Sample): Promise<number>;
  /** Bytes that the registry received in bodies of uploads. */
  received(): number;
}

/** A server, and a client that sends `large` in chunks of CHUNK bytes. */
export async function pushing(server: FaultyRegistryOptions = {}, client: RegistryOptions = {}): Promise<Pushing> {
  const made = await bench(server, client);
  return {
    ...made,
    received: () => ['POST', 'PATCH', 'PUT'].reduce((sum, method) => sum + made.server.received(method, UPLOADS), 0),
    push: async (blob = large) => {
      let told = 0;
      const progress = (bytes: number): void => {
        if (bytes <= 0) throw new Error(`progress of ${bytes} bytes was told`);
        told += bytes;
      };
      await made.repository.push(blob.descriptor, blob.content, { progress });
      return told;
    },
  };
}

/** What the registry holds of a blob. */
export const stored = ({ server }: Bench, { descriptor }: Sample = large) =>
  server.memory.repository(NAME).blobs.get(descriptor.digest);
/** Content-Range of each PATCH. */
export const contentRanges = ({ server }: Bench) =>
  server.asked('PATCH').map(({ headers }) => header({ headers }, 'content-range'));
