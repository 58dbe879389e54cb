// Small bundles for tests: packed in memory (pack.ts), written by the real writer into folders that go with the test.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { geometryOf, type Geometry } from '../../src/bundle/geometry.ts';
import { encodeBundleManifest } from '../../src/bundle/manifest.ts';
import { writeBundle, type WriteBundleOptions, type WrittenBundle } from '../../src/bundle/writer.ts';
import { generateKeyPair, type KeyPair } from '../../src/signing/private-key.ts';
import { pack, type Contents, type Packed } from './pack.ts';
import { signerOf } from './signer.ts';

export const keys: KeyPair = generateKeyPair();

/** Nobody else is alive, so a lock that is left over is taken. */
export const self = { pid: 4242, isAlive: () => false };

/** Writes `site.tar` (or its volumes) into a folder, signed by `keys`. */
export function write(
  packed: Packed,
  folder: string,
  options: Partial<WriteBundleOptions> = {},
): Promise<WrittenBundle> {
  return writeBundle(packed.manifest, packed, {
    folder,
    fileName: 'site.tar',
    signer: signerOf(keys.privatePem),
    self,
    ...options,
  });
}

/** An empty folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'eck-airgap-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface WrittenTar {
  readonly folder: string;
  readonly path: string;
  readonly bytes: Buffer;
  readonly packed: Packed;
  readonly geometry: Geometry;
}

/** A bundle in one file, in a folder of its own that is gone after the test. */
export async function writtenTar(contents: Contents = {}): Promise<WrittenTar> {
  const folder = await temporaryFolder();
  const packed = pack(contents);
  await write(packed, folder);
  const path = join(folder, 'site.tar');
  return { folder, path, bytes: await readFile(path), packed, geometry: geometryFor(packed) };
}

function geometryFor({ manifest }: Packed): Geometry {
  return geometryOf(encodeBundleManifest(manifest).byteLength, manifest);
}

/** Where a body lies. */
export function frameOf(geometry: Geometry, path: string): { offset: number; size: number } {
  const frame = geometry.frames.find((candidate) => candidate.path === path);
  if (!frame) throw new Error(`no frame ${path}`);
  return frame;
}
