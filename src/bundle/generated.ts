// The entries whose bytes follow from bundle.json alone or with the blobs: the chunk table, which is checked by its digest,
// and the OCI layout files, which are regenerated and compared, so that no OCI reader is shown other images than we verified.
import { digestOf } from '../core/digest.ts';
import { CHUNK_TABLE_LIMIT, CHUNK_TABLE_PATH, chunkTableSize, unboundEntry } from './chunk-table.ts';
import { damaged } from './damage.ts';
import { indexJson, OCI_LAYOUT_BYTES } from './index-json.ts';
import { AirgapError } from '../core/errors.ts';
import type { BundleEntry, BundleManifest } from './manifest.ts';
import type { Medium } from './medium.ts';

/** What the layout files must be. */
function layoutFiles(manifest: BundleManifest): [string, Buffer][] {
  return [
    ['oci-layout', OCI_LAYOUT_BYTES],
    ['index.json', indexJson(manifest.images)],
  ];
}

/**
 * Checks the generated entries and answers the chunk table.
 * @throws BUNDLE_CORRUPT naming the entry
 */
export async function readGenerated(medium: Medium, manifest: BundleManifest): Promise<Buffer> {
  for (const [path, expected] of layoutFiles(manifest)) {
    const found = await medium.readBody(path, 0, Buffer.alloc(expected.byteLength));
    if (!describes(manifest, path, expected) || !found.equals(expected))
      throw damaged(path, medium.spans(path, 0, expected.byteLength));
  }
  const size = chunkTableSize(manifest.entries);
  const table = size <= CHUNK_TABLE_LIMIT && (await medium.readBody(CHUNK_TABLE_PATH, 0, Buffer.alloc(size)));
  if (!table || !describes(manifest, CHUNK_TABLE_PATH, table))
    throw damaged(CHUNK_TABLE_PATH, medium.spans(CHUNK_TABLE_PATH, 0, size));
  const unbound = unboundEntry(manifest.entries, table);
  if (unbound) throw contradicted(unbound);
  return table;
}

/** Signed, and yet wrong: whoever wrote this bundle hashed chunks of other bytes than the digest is of. */
function contradicted({ path, digest }: BundleEntry): AirgapError {
  return new AirgapError('BUNDLE_CORRUPT', `${path}: the one hash of it in ${CHUNK_TABLE_PATH} is not its digest`, {
    hint: 'The bundle was built wrongly. Build it again with a program that can be trusted.',
    details: { region: CHUNK_TABLE_PATH, path, digest },
  });
}

/** Names of generated entries that a manifest describes wrongly; a writer refuses to write those. */
export function wrongGenerated(manifest: BundleManifest, table: Buffer): string[] {
  const right = new Map([...layoutFiles(manifest), [CHUNK_TABLE_PATH, table] as const]);
  const names = [...right].filter(([path, bytes]) => !describes(manifest, path, bytes)).map(([path]) => path);
  const fits = table.byteLength === chunkTableSize(manifest.entries) && table.byteLength <= CHUNK_TABLE_LIMIT;
  return fits ? names : [...new Set([CHUNK_TABLE_PATH, ...names])];
}

function describes(manifest: BundleManifest, path: string, bytes: Buffer): boolean {
  const entry = manifest.entries.find((candidate) => candidate.path === path);
  return entry?.size === bytes.byteLength && entry.digest === digestOf(bytes);
}
