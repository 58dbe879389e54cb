// A bundle for the program to read while its code cache is made: it holds no image, and all else that bundles have.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packBundle } from '../../src/build/pack.ts';
import type { Lock } from '../../src/bundle/lock.ts';
import { writeBundle } from '../../src/bundle/writer.ts';
import { digestOf } from '../../src/core/digest.ts';
import { openCache } from '../../src/oci/cache.ts';
import { generateKeyPair, parsePrivateKey } from '../../src/signing/private-key.ts';
import { keySigner } from '../../src/signing/signer.ts';

export interface SampleBundle {
  readonly path: string;
  /** File of the key that it is signed with. */
  readonly publicKey: string;
}

const lock: Lock = {
  apiVersion: 'eck-airgap/v1',
  kind: 'Lock',
  metadata: { name: 'sample' },
  spec: digestOf(Buffer.from('')),
  platforms: ['linux/amd64'],
  images: [],
  files: [],
};

/** @param folder is made, and holds all that belongs to it */
export async function sampleBundle(folder: string): Promise<SampleBundle> {
  await mkdir(folder, { recursive: true });
  const { privatePem, publicPem } = generateKeyPair();
  const publicKey = join(folder, 'sample.pub');
  await writeFile(publicKey, publicPem);
  const signer = keySigner(parsePrivateKey(privatePem, { where: 'the key of the sample' }));
  const self = { pid: process.pid, isAlive: () => false };
  const cache = await openCache(join(folder, 'cache'), { self });
  const packed = await packBundle(lock, cache, { version: '0.0.0' });
  const fileName = 'sample.tar';
  await writeBundle(packed.manifest, packed, { folder, fileName, signer, self });
  return { path: join(folder, fileName), publicKey };
}
