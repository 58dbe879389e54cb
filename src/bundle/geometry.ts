// Where everything in a bundle lies. Offsets follow from the order and the sizes in bundle.json; none is stored. All bytes
// that are not a body are a function of bundle.json too: they fill the gaps between the bodies.
import type { BundleManifest } from './manifest.ts';
import { SLOT_SIZE, slotPath } from './slots.ts';
import { BLOCK, paddingOf, tarHeader, TRAILER_SIZE } from './tar.ts';

export const MANIFEST_PATH = 'bundle.json';

type Body = Pick<Frame, 'path' | 'size'>;

export interface Frame {
  readonly path: string;
  /** Offset of the body in the bundle; its header is the 512 bytes before it. */
  readonly offset: number;
  readonly size: number;
}

/** Between two bodies: padding of the one, header of the next (or the trailer). */
export interface Gap {
  readonly offset: number;
  /** The only bytes that may be there; made when they are asked for. */
  readonly bytes: Buffer;
  readonly length: number;
  /** How many of the bytes are padding after `after`. */
  readonly padding: number;
  /** Path of the entry whose padding it is. */
  readonly after: string | undefined;
  /** Path of the entry whose header it is; undefined for the trailer. */
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
  const bodies: Body[] = [
    { path: MANIFEST_PATH, size: manifestSize },
    ...Array.from({ length: manifest.signatureSlots }, (_, slot) => ({ path: slotPath(slot), size: SLOT_SIZE })),
    ...manifest.entries,
  ];
  const frames: Frame[] = [];
  const gaps: Gap[] = [];
  let offset = 0;
  let previous: Body | undefined;
  for (const body of bodies) {
    const gap = gapBetween(offset, previous, body);
    gaps.push(gap);
    offset += gap.length;
    frames.push({ path: body.path, offset, size: body.size });
    offset += body.size;
    previous = body;
  }
  const end = gapBetween(offset, previous, undefined);
  gaps.push(end);
  return { frames, gaps, size: offset + end.length };
}

/** What a byte of a gap belongs to, for messages. */
export function nameInGap(gap: Gap, position: number): string {
  if (position - gap.offset < gap.padding) return `the padding after ${gap.after ?? 'nothing'}`;
  return gap.before === undefined ? 'the trailer' : `the tar header of ${gap.before}`;
}

function gapBetween(offset: number, after: Body | undefined, before: Body | undefined): Gap {
  const padding = after === undefined ? 0 : paddingOf(after.size);
  const header = (): Buffer =>
    before === undefined ? Buffer.alloc(TRAILER_SIZE) : tarHeader(before.path, before.size);
  return {
    offset,
    length: padding + (before === undefined ? TRAILER_SIZE : BLOCK),
    padding,
    after: after?.path,
    before: before?.path,
    get bytes() {
      return Buffer.concat([Buffer.alloc(padding), header()]);
    },
  };
}

/** Where the first signature slot's header begins, known before anything is parsed. */
export function firstSlotOffset(manifestSize: number): number {
  return BLOCK + manifestSize + paddingOf(manifestSize);
}
