// A bundle put together from parts that may be wrong: whatever bundle.json says, the rest is made to follow it, and all of it
// is signed. So what a reader refuses is the one thing that was changed, and not what that left behind.
import { sign, type KeyObject } from 'node:crypto';
import { indexJson, OCI_LAYOUT_BYTES } from '../../src/bundle/index-json.ts';
import type { BundleImage } from '../../src/bundle/manifest.ts';
import { SLOT_SIZE, slotPath } from '../../src/bundle/slots.ts';
import { paddingOf, tarHeader, TRAILER_SIZE } from '../../src/bundle/tar.ts';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { chunkHashes } from '../../src/core/chunks.ts';
import { digestOf } from '../../src/core/digest.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Entry {
  path: string;
  size: number;
  digest: string;
}

/** A bundle.json that is to be changed; as far as nobody changed it, of this shape. */
export interface Draft extends Record<string, Json> {
  signatureSlots: number;
  entries: { path: string; size: number; digest: string }[];
  images: { [key: string]: Json; name: string }[];
}

export interface Parts {
  /** Bytes of bundle.json. */
  readonly json: Buffer;
  readonly slots: readonly Buffer[];
  /** In file order. */
  readonly bodies: readonly (readonly [path: string, bytes: Buffer])[];
}

/** Makes the generated entries fit the draft, as far as it can be read at all. @param blobs by path */
export function following(draft: Draft, blobs: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const bodies = new Map<string, Buffer>([['oci-layout', OCI_LAYOUT_BYTES]]);
  bodies.set('index.json', layoutOf(draft));
  for (const [path, bytes] of blobs) bodies.set(path, bytes);
  bodies.set(
    'chunks',
    Buffer.concat(draft.entries.slice(1).map(({ path }) => chunkHashes(bodies.get(path) ?? Buffer.alloc(0)))),
  );
  for (const entry of draft.entries) {
    const bytes = bodies.get(entry.path);
    if (bytes && !entry.path.startsWith('blobs/'))
      Object.assign(entry, { size: bytes.byteLength, digest: digestOf(bytes) });
  }
  return bodies;
}

function layoutOf({ images }: Draft): Buffer {
  try {
    return indexJson(images as unknown as BundleImage[]);
  } catch {
    return indexJson([]);
  }
}

/** One tar, in the dialect of a bundle. */
export function assemble({ json, slots, bodies }: Parts): Buffer {
  const all = [['bundle.json', json] as const, ...slots.map((slot, i) => [slotPath(i), slot] as const), ...bodies];
  const parts = all.flatMap(([path, bytes]) => [
    tarHeader(path.slice(0, 100), bytes.byteLength),
    bytes,
    Buffer.alloc(paddingOf(bytes.byteLength)),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(TRAILER_SIZE)]);
}

/** In the form that signatures have: DER for ECDSA. */
export function signature(key: KeyObject, bytes: Buffer): Buffer {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key);
}

export function slotOf(text: string): Buffer {
  return Buffer.from(text.padEnd(SLOT_SIZE, '\n').slice(0, SLOT_SIZE), 'latin1');
}

/** Canonical where JSON can say it; else as JSON.stringify does. */
export function written(draft: unknown): Buffer {
  try {
    return canonicalJson(draft);
  } catch {
    return Buffer.from(JSON.stringify(draft));
  }
}
