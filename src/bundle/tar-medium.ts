// A bundle in its tar. The first header is only a hint of where bundle.json ends: it is regenerated and compared, as is, once
// bundle.json is known, every header, all padding, the trailer and the length.
import { AirgapError } from '../core/errors.ts';
import { forEach } from '../core/pool.ts';
import { damaged } from './damage.ts';
import {
  firstSlotOffset,
  geometryOf,
  MANIFEST_PATH,
  nameInGap,
  type Frame,
  type Gap,
  type Geometry,
} from './geometry.ts';
import { BUNDLE_MANIFEST_LIMIT, MAX_SIGNATURE_SLOTS, type BundleManifest } from './manifest.ts';
import type { Front, Medium } from './medium.ts';
import { SLOT_SIZE, slotPath } from './slots.ts';
import { BLOCK, claimedSize, tarHeader } from './tar.ts';
import type { VolumeSet } from './volume-set.ts';

export function tarMedium(volumes: VolumeSet): Medium {
  const frames = new Map<string, Frame>();
  const offsetOf = (path: string): number => {
    const frame = frames.get(path);
    if (frame) return frame.offset;
    throw new AirgapError('INTERNAL', `the geometry of ${path} is not known yet`);
  };
  return {
    readFront: () => readFront(volumes),
    checkFrames: async (front, manifest, signal) => {
      const geometry = geometryOf(front.manifest.byteLength, manifest);
      checkSlotCount({ volumes, geometry, found: front.slots.length, manifest });
      if (volumes.size !== geometry.size) throw volumes.lengthError(geometry.size);
      await checkGaps(volumes, geometry.gaps, signal);
      for (const frame of geometry.frames) frames.set(frame.path, frame);
    },
    readBody: (path, start, buffer) => volumes.read(offsetOf(path) + start, buffer),
    spans: (path, start, length) => volumes.spans(offsetOf(path) + start, length),
    close: () => volumes.close(),
  };
}

async function readFront(volumes: VolumeSet): Promise<Front> {
  const header = await readAt(volumes, 0, BLOCK);
  const size = claimedSize(header);
  if (size < 0 || size > BUNDLE_MANIFEST_LIMIT || !header.equals(tarHeader(MANIFEST_PATH, size)))
    throw damagedHeader(MANIFEST_PATH, volumes, 0);
  const manifest = await readAt(volumes, BLOCK, size);
  const first = firstSlotOffset(size);
  let next = await readAt(volumes, first, BLOCK);
  if (!isSlotHeader(next, 0)) throw damagedHeader(slotPath(0), volumes, first);
  const slots: Buffer[] = [];
  for (let offset = first; slots.length < MAX_SIGNATURE_SLOTS && isSlotHeader(next, slots.length);) {
    slots.push(await readAt(volumes, offset + BLOCK, SLOT_SIZE));
    offset += BLOCK + SLOT_SIZE;
    next = await volumes.read(offset, Buffer.alloc(BLOCK));
  }
  return { manifest, slots };
}

function isSlotHeader(header: Buffer, slot: number): boolean {
  return header.equals(tarHeader(slotPath(slot), SLOT_SIZE));
}

/** The length is checked before memory is taken for it. */
async function readAt(volumes: VolumeSet, position: number, length: number): Promise<Buffer> {
  if (position + length > volumes.size) throw volumes.lengthError(position + length);
  return volumes.read(position, Buffer.allocUnsafeSlow(length));
}

/** Slots end where no further header of one is; if bundle.json says otherwise, that header is damaged. */
function checkSlotCount(of: { volumes: VolumeSet; geometry: Geometry; found: number; manifest: BundleManifest }): void {
  const { volumes, geometry, found, manifest } = of;
  if (found === manifest.signatureSlots) return;
  const at = geometry.frames[1 + Math.min(found, manifest.signatureSlots)];
  const path = found < manifest.signatureSlots ? slotPath(found) : (at?.path ?? MANIFEST_PATH);
  throw damagedHeader(path, volumes, (at?.offset ?? BLOCK) - BLOCK);
}

/** They are small and many, so those near one another are read at once. The first that is damaged is named. */
async function checkGaps(volumes: VolumeSet, gaps: readonly Gap[], signal?: AbortSignal): Promise<void> {
  const wrong = await forEach(neighbours(gaps), async (near) => damageOf(near, volumes), { signal });
  for (const error of wrong) if (error) throw error;
}

/** Bytes from the first gap that is read at once to the end of the last. */
const WINDOW = 256 * 1024;

function* neighbours(gaps: readonly Gap[]): Generator<readonly [Gap, ...Gap[]]> {
  let near: [Gap, ...Gap[]] | undefined;
  for (const gap of gaps) {
    if (near && gap.offset + gap.length - near[0].offset <= WINDOW) near.push(gap);
    else {
      if (near) yield near;
      near = [gap];
    }
  }
  if (near) yield near;
}

async function damageOf(near: readonly [Gap, ...Gap[]], volumes: VolumeSet): Promise<AirgapError | undefined> {
  const { offset: start } = near[0];
  const last = near.at(-1) ?? near[0];
  const window = await volumes.read(start, Buffer.allocUnsafeSlow(last.offset + last.length - start));
  for (const gap of near) {
    const expected = gap.bytes;
    const found = window.subarray(gap.offset - start, gap.offset - start + gap.length);
    if (found.equals(expected)) continue;
    const at = gap.offset + expected.findIndex((byte, i) => byte !== found[i]);
    return damaged(nameInGap(gap, at), volumes.spans(at, 1));
  }
  return undefined;
}

function damagedHeader(path: string, volumes: VolumeSet, offset: number): AirgapError {
  return damaged(`the tar header of ${path}`, volumes.spans(offset, BLOCK));
}
