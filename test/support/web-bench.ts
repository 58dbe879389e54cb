// A web server that has one file and may misbehave, and a client of it; both are closed when the test ends.
import { onTestFinished } from 'vitest';
import { openWebFiles, type WebFiles, type WebFilesOptions } from '../../src/registry/web-files.ts';
import type { FaultyRegistry, FaultyRegistryOptions } from './faulty-registry.ts';
import { header } from './memory-registry.ts';
import { drain, FakeClock, sampleBytes, startServer } from './registry-bench.ts';

export const SIZE = 200_000;
export const BYTES = sampleBytes(SIZE);
export const PATH = '/downloads/eck/crds.yaml';

export interface WebBench {
  readonly server: FaultyRegistry;
  readonly files: WebFiles;
  readonly clock: FakeClock;
  readonly url: string;
}

export async function webBench(options: FaultyRegistryOptions = {}, client: WebFilesOptions = {}): Promise<WebBench> {
  const server = await fileServer(options);
  return { server, ...webClient(client), url: `${server.origin}${PATH}` };
}

/** A server that has the file at `path`. */
export async function fileServer(options: FaultyRegistryOptions = {}, path = PATH): Promise<FaultyRegistry> {
  const server = await startServer(options);
  server.memory.files.set(path, { bytes: BYTES, headers: { etag: '"1"' } });
  return server;
}

export function webClient(options: WebFilesOptions = {}): Pick<WebBench, 'files' | 'clock'> {
  const clock = new FakeClock();
  const files = openWebFiles({ clock, ...options });
  onTestFinished(() => files.close());
  return { files, clock };
}

/** The ways to get the whole file. */
export const ways: readonly (readonly [string, (files: WebFiles, url: string) => Promise<Buffer>])[] = [
  ['read', (files, url) => files.read(url, { limit: SIZE })],
  ['fetch', (files, url) => drain(files.fetch(url))],
  ['fetch of a known size', (files, url) => drain(files.fetch(url, { size: SIZE }))],
];

/** Range of each request. */
export function ranges(server: FaultyRegistry): (string | undefined)[] {
  return server.requests.map((request) => header(request, 'range'));
}

/** Authorization of each request. */
export function authorizations(server: FaultyRegistry): (string | undefined)[] {
  return server.requests.map((request) => header(request, 'authorization'));
}
