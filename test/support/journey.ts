// The setting of the end-to-end tests: an upstream registry with images, a folder with airgap.yaml and a key, and an
// enclave registry, all on loopback, with every request to either recorded.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from '../../src/registry/registry.ts';
import type { RequestInfo } from '../../src/registry/server/answer.ts';
import { memoryStore } from '../../src/registry/server/memory-store.ts';
import { serveRegistry, type RunningRegistry } from '../../src/registry/server/server.ts';
import type { RegistryStore } from '../../src/registry/server/store.ts';
import { encodeLock, LOCK_FILE, parseLock, type Lock } from '../../src/bundle/lock.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { elasticCharts } from './elastic-charts.ts';
import { elasticDownloads, type ElasticDownloads } from './elastic-downloads.ts';
import { cli, type CliOptions, type CliResult } from './cli.ts';
import { pushGraph, randomIndex, type Graph } from './random-image.ts';

export interface RecordingRegistry {
  readonly store: Required<RegistryStore>;
  readonly server: RunningRegistry;
  readonly host: string;
  /** Since the last `forget()`. */
  readonly requests: readonly RequestInfo[];
  forget(): void;
}

async function recordingRegistry(store: Required<RegistryStore> = memoryStore()): Promise<RecordingRegistry> {
  const requests: RequestInfo[] = [];
  const server = await serveRegistry(store, { host: '127.0.0.1', port: 0, onRequest: (info) => requests.push(info) });
  return { store, server, host: `127.0.0.1:${server.port}`, requests, forget: () => requests.splice(0) };
}

export interface Journey {
  readonly folder: string;
  readonly upstream: RecordingRegistry;
  readonly enclave: RecordingRegistry;
  /** Names in airgap.yaml. */
  readonly images: readonly string[];
  run(...argv: string[]): Promise<CliResult>;
  runWith(options: Partial<CliOptions>, ...argv: string[]): Promise<CliResult>;
  path(...parts: string[]): string;
  read(...parts: string[]): Promise<Buffer>;
  /** The lock that lies there. */
  readLock(): Promise<Lock>;
  /** Writes a lock that was changed by hand. */
  changeLock(change: (lock: Lock) => Lock): Promise<void>;
  /** Pushes a graph upstream under its original name. */
  publish(name: string, graph: Graph): Promise<void>;
  /** With `elastic` in it, its files and charts are there to be downloaded, and a catalogue file pins their key. */
  writeSpec(extra?: Record<string, unknown>): Promise<void>;
  /** Where files and charts of a release of ECK are downloaded from, in place of Elastic's sites. */
  downloads(eck?: string): Promise<ElasticDownloads>;
  end(): Promise<void>;
}

export interface JourneyOptions {
  /** Original name to what it is. Two small images by default. */
  readonly images?: Readonly<Record<string, Graph>>;
  readonly spec?: Record<string, unknown>;
  /** The real crds.yaml of a release of ECK where it is at hand: large, and so slower. */
  readonly realCrds?: boolean;
}

function defaultImages(): Record<string, Graph> {
  return {
    'docker.elastic.co/elasticsearch/elasticsearch:9.5.2': randomIndex('elasticsearch', { attestations: true }),
    'docker.elastic.co/kibana/kibana:9.5.2': randomIndex('kibana'),
  };
}

export async function journey(options: JourneyOptions = {}): Promise<Journey> {
  const folder = await mkdtemp(join(tmpdir(), 'eck-airgap-test-'));
  const upstream = await recordingRegistry();
  const enclave = await recordingRegistry();
  const graphs = options.images ?? defaultImages();
  const sites = new Map<string, Promise<ElasticDownloads>>();
  const keys = generateKeyPair();
  const path = (...parts: string[]): string => join(folder, ...parts);
  await writeFile(path('airgap.key'), keys.privatePem, { mode: 0o600 });
  await writeFile(path('airgap.pub'), keys.publicPem);
  const runWith = (changes: Partial<CliOptions>, ...argv: string[]): Promise<CliResult> =>
    cli(argv, { cwd: folder, ...changes });
  const readLock = async (): Promise<Lock> => parseLock(await readFile(path(LOCK_FILE), 'utf8'), LOCK_FILE);
  const made: Journey = {
    folder,
    readLock,
    changeLock: async (change) => writeFile(path(LOCK_FILE), encodeLock(change(await readLock()))),
    upstream,
    enclave,
    images: Object.keys(graphs).sort(),
    run: (...argv) => runWith({}, ...argv),
    runWith,
    path,
    read: (...parts) => readFile(path(...parts)),
    publish: async (name, graph) => {
      const { repository, tag } = parseReference(name);
      const registry = new Registry(upstream.host);
      await pushGraph(registry.repository(repository), graph, tag);
      await registry.close();
    },
    downloads: (eck = '3.5.0') => {
      const started = sites.get(eck) ?? startDownloads(eck, options);
      sites.set(eck, started);
      return started;
    },
    writeSpec: async (extra = {}) => {
      const { elastic, mirrors, ...rest } = extra as { elastic?: { eck: string }; mirrors?: Record<string, string> };
      const sites = elastic === undefined ? undefined : await made.downloads(elastic.eck);
      if (sites !== undefined) await writeFile(path('catalogue.yaml'), sites.catalogue);
      const spec = {
        apiVersion: 'eck-airgap/v1',
        kind: 'BundleSpec',
        metadata: { name: 'site-alpha' },
        platforms: ['linux/amd64'],
        images: made.images,
        mirrors: { ...(mirrors ?? { 'docker.elastic.co': `http://${upstream.host}` }), ...sites?.mirrors },
        ...(elastic === undefined ? {} : { elastic: { catalogue: 'catalogue.yaml', ...elastic } }),
        ...rest,
      };
      await writeFile(path('airgap.yaml'), JSON.stringify(spec));
    },
    end: async () => {
      const downloads = await Promise.all(sites.values());
      await Promise.all([upstream.server.close(), enclave.server.close(), ...downloads.map((site) => site.close())]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    for (const [name, graph] of Object.entries(graphs)) await made.publish(name, graph);
    upstream.forget();
    await made.writeSpec(options.spec);
    return made;
  } catch (error) {
    await made.end();
    throw error;
  }
}

async function startDownloads(eck: string, { realCrds = false }: JourneyOptions): Promise<ElasticDownloads> {
  return elasticDownloads({ eck: [eck], charts: await elasticCharts(eck), smallCrds: !realCrds });
}

/** Requests that change a registry. */
export function writes(requests: readonly RequestInfo[]): RequestInfo[] {
  return requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
}
