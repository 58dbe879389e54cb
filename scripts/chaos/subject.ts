// What is changed: a small bundle, and beside it what a forger could have: another bundle that the same key signed, and a key
// of his own.
import { sign, type KeyObject } from 'node:crypto';
import type { Frame, Geometry } from '../../src/bundle/geometry.ts';
import type { BundleManifest } from '../../src/bundle/manifest.ts';
import { BLOCK, paddingOf, tarHeader, TRAILER_SIZE } from '../../src/bundle/tar.ts';
import { regionsOf, type Region, type RegionKind } from '../../test/support/regions.ts';
import { parseSmallBundle, type SmallBundle } from '../../test/support/small-bundle.ts';
import type { Span } from './edits.ts';

export interface Subject {
  readonly bytes: Buffer;
  readonly manifest: BundleManifest;
  readonly geometry: Geometry;
  readonly regions: readonly Region[];
  /** Signed by the same key, with other content. */
  readonly other: SmallBundle;
  /** ECDSA; nobody trusts it. */
  readonly forger: KeyObject;
}

/** @param bytes of the bundle; @param other of another one by the same key */
export function subjectOf(bytes: Buffer, other: Buffer, forger: KeyObject): Subject {
  const { manifest, geometry } = parseSmallBundle(bytes);
  return { bytes, manifest, geometry, regions: regionsOf(geometry), other: parseSmallBundle(other), forger };
}

/** Base64, as a slot holds it. */
export function forge({ forger }: Subject, bytes: Uint8Array): string {
  return sign('sha256', bytes, forger).toString('base64');
}

export function regionsOfKind({ regions }: Subject, kind: RegionKind): Region[] {
  return regions.filter((region) => region.kind === kind);
}

export function bodyOf({ bytes }: SmallBundle | Subject, { offset, size }: Frame): Buffer {
  return bytes.subarray(offset, offset + size);
}

/** A frame with its header and the padding behind it. */
export function entrySpan({ offset, size }: Frame): Span {
  return { start: offset - BLOCK, size: BLOCK + size + paddingOf(size) };
}

/** An entry as a tar holds it. */
export function tarEntry(path: string, body: Uint8Array): Buffer {
  return Buffer.concat([tarHeader(path, body.byteLength), body, Buffer.alloc(paddingOf(body.byteLength))]);
}

export function trailerStart({ geometry }: Subject): number {
  return geometry.size - TRAILER_SIZE;
}
