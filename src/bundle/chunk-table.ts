// The chunk table: sha256 of every 4 MiB of every body behind it, in entry order, binary.
import { CHUNK_HASH_SIZE, CHUNK_SIZE, chunkCount } from '../core/chunks.ts';
import type { Hashing } from '../core/hashing.ts';
import type { BundleEntry, BundleManifest } from './manifest.ts';

export const CHUNK_TABLE_PATH = 'chunks';

/** The table is held in memory: 8 bytes for each MiB of bodies, which may have 8 TiB in all. */
export const CHUNK_TABLE_LIMIT = 64 * 1024 * 1024;

export interface Chunk {
  /** From 0, within its body. */
  readonly index: number;
  /** Offset within its body. */
  readonly start: number;
  readonly size: number;
  readonly hash: Uint8Array;
}

export interface ChunkTable {
  /** The chunks of a body from the one that holds byte `start`. */
  chunks(path: string, start?: number): Iterable<Chunk>;
}

/** Whether bytes are those of a chunk, length and all. */
export async function isChunk(bytes: Uint8Array, { size, hash }: Chunk, hashing: Hashing): Promise<boolean> {
  return bytes.byteLength === size && Buffer.compare(await hashing.sha256(bytes), hash) === 0;
}

/** Bytes of the table of a manifest; its own entry is not in it. */
export function chunkTableSize(entries: readonly BundleEntry[]): number {
  return entries.slice(1).reduce((sum, entry) => sum + chunkCount(entry.size) * CHUNK_HASH_SIZE, 0);
}

/** A body of one chunk whose chunk hash is not its digest; such a table was not made from these bodies. */
export function unboundEntry(entries: readonly BundleEntry[], table: Buffer): BundleEntry | undefined {
  let offset = 0;
  for (const entry of entries.slice(1)) {
    const end = offset + chunkCount(entry.size) * CHUNK_HASH_SIZE;
    const isOne = end - offset === CHUNK_HASH_SIZE;
    if (isOne && `sha256:${table.toString('hex', offset, end)}` !== entry.digest) return entry;
    offset = end;
  }
  return undefined;
}

/** @param table must have `chunkTableSize` bytes */
export function chunkTable(manifest: Pick<BundleManifest, 'entries'>, table: Buffer): ChunkTable {
  const bodies = new Map<string, { size: number; hashes: Buffer }>();
  let offset = 0;
  for (const { path, size } of manifest.entries.slice(1)) {
    const length = chunkCount(size) * CHUNK_HASH_SIZE;
    bodies.set(path, { size, hashes: table.subarray(offset, offset + length) });
    offset += length;
  }
  return {
    *chunks(path, start = 0) {
      const body = bodies.get(path);
      if (!body) return;
      for (let index = Math.floor(start / CHUNK_SIZE); index * CHUNK_SIZE < body.size; index++) {
        yield {
          index,
          start: index * CHUNK_SIZE,
          size: Math.min(CHUNK_SIZE, body.size - index * CHUNK_SIZE),
          hash: body.hashes.subarray(index * CHUNK_HASH_SIZE, (index + 1) * CHUNK_HASH_SIZE),
        };
      }
    },
  };
}
