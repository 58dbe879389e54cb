import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BundleManifest } from '../../src/bundle/manifest.ts';
import { blobPath } from '../../src/bundle/manifest-rules.ts';
import { openBundle } from '../../src/bundle/reader.ts';
import { verifyBundle } from '../../src/bundle/verify.ts';
import { CHUNK_SIZE, chunkHashes } from '../../src/core/chunks.ts';
import { digestOf } from '../../src/core/digest.ts';
import { exportFile } from '../../src/install/export.ts';
import { exportables, requireExportable } from '../../src/install/exportable.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import { keys, temporaryFolder, write } from '../support/bundle.ts';
import { pack, sourceOf, type Packed } from '../support/pack.ts';
import { randomBytes } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const FILE = randomBytes('file', CHUNK_SIZE + 10);

test('a file comes out whole, and leaves nothing else', async () => {
  const folder = await temporaryFolder();
  await write(pack({ files: { 'file.bin': FILE } }), folder);
  const out = join(folder, 'out');
  await exported(folder, out);
  expect(await readFile(out)).toEqual(FILE);
});

test('a file whose signed chunk hashes belong to other bytes than its digest is not exported', async () => {
  const folder = await temporaryFolder();
  await write(withBytes(pack({ files: { 'file.bin': FILE } }), randomBytes('other', FILE.byteLength)), folder);
  const error = await rejected(exported(folder, join(folder, 'out')));
  expect(error).toMatchObject({ code: 'BUNDLE_CORRUPT', details: { region: blobPath(digestOf(FILE)) } });
  expect((await readdir(folder)).filter((name) => name.startsWith('out'))).toEqual([]);
});

async function exported(folder: string, out: string): Promise<void> {
  const bundle = await openBundle(folder, { keys: [parsePublicKey(keys.publicPem, 'the test')] });
  try {
    await verifyBundle(bundle);
    await exportFile(bundle, requireExportable(await exportables(bundle), 'file.bin'), { out });
  } finally {
    await bundle.close();
  }
}

/** What a build would write that believed the chunk hashes of other bytes: everything fits but the digest of the file. */
function withBytes(packed: Packed, bytes: Buffer): Packed {
  const path = blobPath(digestOf(FILE));
  const [, ...rest] = [...packed.bodies].map(([name, body]): [string, Buffer] => [name, name === path ? bytes : body]);
  const chunkTable = Buffer.concat(rest.map(([, body]) => chunkHashes(body)));
  const entries: BundleManifest['entries'] = packed.manifest.entries.map((entry) =>
    entry.path === 'chunks' ? { ...entry, digest: digestOf(chunkTable) } : entry,
  );
  const bodies = new Map([['chunks', chunkTable], ...rest]);
  return { manifest: { ...packed.manifest, entries }, chunkTable, bodies, source: sourceOf(bodies) };
}
