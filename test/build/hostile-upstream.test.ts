// Whatever a registry says of an image, from its lists to the numbers in its documents, what comes of it is a bundle or an error
// that says what is wrong: never a defect of the program.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchLocked, readLocked } from '../../src/build/fetch.ts';
import { packBundle } from '../../src/build/pack.ts';
import { resolveImage } from '../../src/build/resolve.ts';
import { openSources } from '../../src/build/sources.ts';
import { encodeLock, parseLock, type Lock, type LockedImage } from '../../src/bundle/lock.ts';
import { encodeBundleManifest } from '../../src/bundle/manifest.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { isAirgapError } from '../../src/core/errors.ts';
import { openCache } from '../../src/oci/cache.ts';
import { referrersTag } from '../../src/oci/referrer-tags.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.ts';
import { FakeClock } from '../support/registry-bench.ts';

type Json = null | string | number | boolean | Json[] | { [key: string]: Json };

let server: FaultyRegistry;
let folder: string;
beforeAll(async () => {
  server = await startFaultyRegistry({ referrers: false });
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-hostile-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** In place of any value. */
const VALUES: readonly Json[] = [
  null,
  '',
  'é\u202e\n',
  '\ud800',
  'x'.repeat(2000),
  -1,
  0.5,
  Number.MAX_SAFE_INTEGER,
  [],
  {},
];

const layerBytes = Buffer.from('a layer');
const descriptor = (mediaType: string, bytes: Buffer): { mediaType: string; digest: string; size: number } => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});

interface Documents {
  readonly config: Json;
  readonly manifest: Json;
  readonly index: Json;
  readonly referrers: Json;
}

const configOf = (): Json => ({ os: 'linux', architecture: 'arm64', variant: 'v8' });
const manifestOf = (config: Buffer): Json => ({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  artifactType: 'a/b',
  config: descriptor(OCI_CONFIG, config),
  layers: [{ ...descriptor(OCI_LAYER, layerBytes), annotations: { a: 'b' }, urls: ['https://x.example/'] }],
  annotations: { a: 'b' },
});
const indexOf = (manifest: Buffer, listed: object = {}): Json => ({
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ ...descriptor(OCI_MANIFEST, manifest), artifactType: 'a/b', annotations: { a: 'b' }, ...listed }],
  annotations: { a: 'b' },
});
/** Shares nothing with the image that it is for. */
const signed = Buffer.from('{}');
const signature = Buffer.from(
  JSON.stringify({ schemaVersion: 2, config: descriptor('application/vnd.oci.empty.v1+json', signed), layers: [] }),
);
const platform = { os: 'linux', architecture: 'arm64', variant: 'v8', 'os.version': '1', 'os.features': ['x'] };

/** Every document in which one value is another one. */
function* mutations(document: Json): Generator<Json> {
  if (typeof document !== 'object' || document === null) {
    yield* VALUES;
    return;
  }
  for (const key of Object.keys(document)) {
    const at = (value: Json): Json =>
      Array.isArray(document)
        ? document.map((old, i) => (String(i) === key ? value : old))
        : { ...document, [key]: value };
    const part = (document as Record<string, Json>)[key] ?? null;
    if (typeof part === 'object' && part !== null) yield* VALUES.map(at);
    for (const other of mutations(part)) yield at(other);
  }
}

let count = 0;

/** Publishes an image of which one document is another one, and takes it as `lock` and `build` do. */
async function carry(change: Partial<Documents>): Promise<void> {
  const name = `hostile/n${++count}`;
  const bytesOf = (document: Json): Buffer => Buffer.from(JSON.stringify(document));
  const put = (mediaType: string, bytes: Buffer, tag?: string): string =>
    server.memory.putManifest(name, { mediaType, bytes }, tag);
  const config = bytesOf(change.config ?? configOf());
  const manifest = bytesOf(change.manifest ?? manifestOf(config));
  for (const blob of [config, layerBytes, signed]) server.memory.putBlob(name, blob);
  const image = put(OCI_MANIFEST, manifest, 'v1');
  // one image without an index says itself what it is for
  const index = change.config || change.manifest ? undefined : bytesOf(change.index ?? indexOf(manifest, { platform }));
  const root = index === undefined ? image : put(OCI_INDEX, index, 'v1');
  put(OCI_MANIFEST, signature);
  put(OCI_INDEX, bytesOf(change.referrers ?? indexOf(signature)), referrersTag(root as Digest));
  await take(`${server.host}/${name}:v1`, join(folder, String(count)));
}

async function take(name: string, place: string): Promise<void> {
  const sources = openSources({ registry: { retries: 0, clock: new FakeClock() }, mirrors: {} });
  try {
    const cache = await openCache(place, { self: { pid: process.pid, isAlive: () => false } });
    const policy = { signatures: {}, keys: new Map() };
    const image = await resolveImage(name, { cache, sources, platforms: 'all', policy });
    const lock = parseLock(encodeLock(lockOf(image)).toString('utf8'), 'airgap.lock.yaml');
    const options = { cache, sources, folder: place, spec: { files: [], charts: [] } };
    await fetchLocked(lock, await readLocked(lock, options), options);
    encodeBundleManifest((await packBundle(lock, cache, { version: '0.0.0' })).manifest);
  } finally {
    await sources.close();
  }
}

function lockOf(image: LockedImage): Lock {
  return {
    apiVersion: 'eck-airgap/v1',
    kind: 'Lock',
    metadata: { name: 'site' },
    spec: digestOf(Buffer.from('spec')),
    platforms: 'all',
    images: [image],
    files: [],
  };
}

test('as it is, the image is carried', async () => {
  await carry({});
});

describe.each(['config', 'manifest', 'index', 'referrers'] as const)('a hostile %s', (kind) => {
  test('is carried or refused, and never a defect', async () => {
    const config = Buffer.from(JSON.stringify(configOf()));
    const manifest = Buffer.from(JSON.stringify(manifestOf(config)));
    const documents: Documents = {
      config: configOf(),
      manifest: manifestOf(config),
      index: indexOf(manifest, { platform }),
      referrers: indexOf(signature),
    };
    const defects: string[] = [];
    for (const document of mutations(documents[kind])) {
      const error: unknown = await carry({ [kind]: document }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      // what is refused has to be so by its name, before `build`: every such error is one of the document
      if (error !== undefined && !isAirgapError(error, 'MANIFEST_INVALID', 'CONTENT_MISSING', 'DIGEST_MISMATCH'))
        defects.push(
          `${JSON.stringify(document).slice(0, 400)}: ${error instanceof Error ? error.message : 'no error'}`,
        );
    }
    expect(defects).toEqual([]);
  }, 120_000);
});
