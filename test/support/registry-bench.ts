// A misbehaving registry and a client of it, for one test; both are closed when the test ends. Time does not pass: a
// sleep is recorded and over at once.
import { onTestFinished } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { collect, type ByteStream } from '../../src/core/streams.ts';
import { contentOf, verified } from '../../src/oci/content.ts';
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.ts';
import { OCI_LAYER, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { Content } from '../../src/oci/target.ts';
import type { Clock } from '../../src/registry/clock.ts';
import { Registry, type RegistryOptions } from '../../src/registry/registry.ts';
import type { Repository } from '../../src/registry/repository.ts';
import { startFaultyRegistry, type FaultyRegistry, type FaultyRegistryOptions } from './faulty-registry.ts';
import { randomBytes } from './random-image.ts';

/** The repository that benches use. */
export const NAME = 'demo/app';
/** Chunks of an upload; small, so that a test has many. Bytes. */
export const CHUNK = 1000;

export class FakeClock implements Clock {
  /** Milliseconds of every sleep. */
  readonly slept: number[] = [];
  #now = Date.UTC(2026, 10, 23, 12);

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.#now += ms;
  }

  random(): number {
    return 0.5;
  }

  pass(ms: number): void {
    this.#now += ms;
  }
}

export interface Bench {
  readonly server: FaultyRegistry;
  readonly registry: Registry;
  readonly repository: Repository;
  readonly clock: FakeClock;
}

/** A server and a client of it that sends chunks of CHUNK bytes for anything above two of them. */
export async function bench(server: FaultyRegistryOptions = {}, client: RegistryOptions = {}): Promise<Bench> {
  const started = await startServer(server);
  return { server: started, ...connect(started, client) };
}

/** A server that is closed when the test ends, and whose own defects fail it. */
export async function startServer(options: FaultyRegistryOptions = {}): Promise<FaultyRegistry> {
  const server = await startFaultyRegistry(options);
  onTestFinished(() => server.close());
  return server;
}

/** Another client of a server. */
export function connect(server: FaultyRegistry, options: RegistryOptions = {}): Omit<Bench, 'server'> {
  const clock = new FakeClock();
  const registry = new Registry(server.host, {
    clock,
    chunkSize: CHUNK,
    chunkThreshold: 2 * CHUNK,
    credentials: alice,
    ...options,
  });
  onTestFinished(() => registry.close());
  return { registry, repository: registry.repository(NAME), clock };
}

/** The account that the servers of benches know, for any host that asks. */
export const alice = { find: async () => ({ kind: 'basic' as const, username: 'alice', password: 's3cret' }) };

/** Bytes that look random and are the same every time. */
export function sampleBytes(size: number, seed = 'sample'): Buffer {
  return randomBytes(seed, size);
}

export interface Sample {
  readonly bytes: Buffer;
  readonly descriptor: Descriptor;
  readonly content: Content;
}

export function sample(bytes: Buffer = sampleBytes(10 * CHUNK), mediaType: string = OCI_LAYER): Sample {
  return { bytes, descriptor: descriptorOf(bytes, mediaType), content: contentOf(bytes) };
}

/** A manifest without layers; `more` makes it another one. */
export function sampleManifest(more: Record<string, unknown> = {}): Sample {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 };
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [], ...more };
  return sample(Buffer.from(JSON.stringify(document)), OCI_MANIFEST);
}

/** What a consumer that verifies gets. */
export async function download(repository: Repository, descriptor: Descriptor): Promise<Buffer> {
  return collect(verified(repository.fetch(descriptor), descriptor), Infinity);
}

/** Reads without verifying, up to a limit that shows a stream without end. */
export async function drain(stream: ByteStream): Promise<Buffer> {
  return collect(stream, 64 * 1024 * 1024);
}
