// Where everything in a bundle lies. Offsets follow from the order and the sizes in bundle.json; none is stored. All bytes
// that are not a body are a function of bundle.json too, and are given here as segments to write, or to compare with.
import type { BundleManifest } from './manifest.ts';
import { SLOT_SIZE, slotPath } from './slots.ts';
import { BLOCK, paddingOf, tarHeader, TRAILER_SIZE } from './tar.ts';

export const MANIFEST_PATH = 'bundle.json';

export interface Frame {
  readonly path: string;
  /** Offset of the body in the bundle; its header is the 512 bytes before it. */
  readonly offset: number;
  readonly size: number;
}

/** Bytes between two bodies: padding of the one, header of the next (or the trailer). */
export interface Gap {
  readonly offset: number;
  readonly bytes: Buffer;
  /** How many of the bytes are padding after `after`. */
  readonly padding: number;
  readonly after: string | undefined;
  /** Whose header it is; undefined for the trailer. */
  readonly before: string | undefined;
}

export interface Geometry {
  /** bundle.json, the signature slots, then the entries, in file order. */
  readonly frames: readonly Frame[];
  readonly gaps: readonly Gap[];
  /** Bytes of the whole bundle. */
  readonly size: number;
}

export function geometryOf(manifestSize: number, manifest: BundleManifest): Geometry {
  const bodies = [
    { path: MANIFEST_PATH, size: manifestSize },
    ...Array.from({ length: manifest.signatureSlots }, (_, slot) => ({ path: slotPath(slot), size: SLOT_SIZE })),
    ...manifest.entries,
  ];
  const frames: Frame[] = [];
  const gaps: Gap[] = [];
  let offset = 0;
  let previous: { path: string; size: number } | undefined;
  for (const body of bodies) {
    const gap = gapBetween(offset, previous, body);
    gaps.push(gap);
    offset += gap.bytes.byteLength;
    frames.push({ path: body.path, offset, size: body.size });
    offset += body.size;
    previous = body;
  }
  const end = gapBetween(offset, previous, undefined);
  gaps.push(end);
  return { frames, gaps, size: offset + end.bytes.byteLength };
}

/** What a byte of a gap belongs to, for messages. */
export function nameInGap(gap: Gap, position: number): string {
  if (position - gap.offset < gap.padding) return `padding after ${gap.after ?? 'nothing'}`;
  return gap.before === undefined ? 'the trailer' : `the tar header of ${gap.before}`;
}

function gapBetween(
  offset: number,
  after: { path: string; size: number } | undefined,
  before: { path: string; size: number } | undefined,
): Gap {
  const padding = after === undefined ? 0 : paddingOf(after.size);
  const header = before === undefined ? Buffer.alloc(TRAILER_SIZE) : tarHeader(before.path, before.size);
  return {
    offset,
    bytes: Buffer.concat([Buffer.alloc(padding), header]),
    padding,
    after: after?.path,
    before: before?.path,
  };
}

/** Where the first signature slot's header begins, known before anything is parsed. */
export function firstSlotOffset(manifestSize: number): number {
  return BLOCK + manifestSize + paddingOf(manifestSize);
}
