// A body of one chunk has one hash under two names: a signed table that says otherwise was not made from these bodies.
import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { chunkTable, unboundEntry } from '../../src/bundle/chunk-table.ts';
import { geometryOf } from '../../src/bundle/geometry.ts';
import { encodeBundleManifest, type BundleManifest } from '../../src/bundle/manifest.ts';
import { openBundle, openUnverified } from '../../src/bundle/reader.ts';
import { encodeSlot } from '../../src/bundle/slots.ts';
import { CHUNK_SIZE } from '../../src/core/chunks.ts';
import { digestOf } from '../../src/core/digest.ts';
import { frameOf, keys, writtenTar, type WrittenTar } from '../support/bundle.ts';
import { signerOf } from '../support/signer.ts';
import { rejected } from '../support/thrown.ts';

/** Writes the tar anew around another table, well signed. */
async function withTable(tar: WrittenTar, table: Buffer): Promise<void> {
  const entries = tar.packed.manifest.entries.map((entry) =>
    entry.path === 'chunks' ? { ...entry, digest: digestOf(table) } : entry,
  );
  const manifest: BundleManifest = { ...tar.packed.manifest, entries };
  const json = encodeBundleManifest(manifest);
  expect(geometryOf(json.byteLength, manifest).size).toBe(tar.bytes.byteLength);
  json.copy(tar.bytes, frameOf(tar.geometry, 'bundle.json').offset);
  encodeSlot(await signerOf(keys.privatePem).sign(json)).copy(
    tar.bytes,
    frameOf(tar.geometry, 'bundle.json.sig').offset,
  );
  table.copy(tar.bytes, frameOf(tar.geometry, 'chunks').offset);
  await writeFile(tar.path, tar.bytes);
}

test('a table that differs from the digest of a body of one chunk is refused, signed as it is', async () => {
  const tar = await writtenTar();
  const table = Buffer.from(tar.packed.chunkTable);
  table.writeUInt8(table.readUInt8(table.length - 1) ^ 1, table.length - 1);
  await withTable(tar, table);
  for (const opening of [openBundle(tar.path, { keys: [keys.publicKey] }), openUnverified(tar.path)]) {
    const error = await rejected(opening);
    expect([error.code, error.exitStatus]).toEqual(['BUNDLE_CORRUPT', 3]);
    expect(error.message).toContain(tar.packed.manifest.entries.at(-1)?.path);
  }
});

test('a body of two chunks has a digest that no table says', () => {
  const bytes = Buffer.alloc(CHUNK_SIZE + 1);
  const entries = [
    { path: 'chunks', size: 64, digest: digestOf(bytes) },
    { path: 'blobs/sha256/x', size: bytes.byteLength, digest: digestOf(bytes) },
  ];
  const table = Buffer.alloc(64);
  expect(unboundEntry(entries, table)).toBeUndefined();
  expect([...chunkTable({ entries }, table).chunks('blobs/sha256/x')]).toHaveLength(2);
  expect(unboundEntry([entries[0]!, { ...entries[1]!, size: CHUNK_SIZE }], table)).toMatchObject({ size: CHUNK_SIZE });
});

test('an interrupted opening ends', async () => {
  const tar = await writtenTar();
  const stop = AbortSignal.abort(new Error('interrupted'));
  await expect(openUnverified(tar.path, { signal: stop })).rejects.toThrow('interrupted');
});
