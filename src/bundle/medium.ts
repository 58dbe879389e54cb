// The two shapes a bundle is read in: its tar (one file or volumes), and the folder that some other program unpacked it to.
// Both give bundle.json and its signature slots before anything is parsed, and then bodies by path and offset.
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AirgapError, fileError, systemErrorCode } from '../core/errors.ts';
import { readFully, scratch } from '../core/streams.ts';
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
import { SLOT_SIZE, slotPath } from './slots.ts';
import { BLOCK, claimedSize, tarHeader } from './tar.ts';
import { missingVolumes, openVolumes, type VolumeSet } from './volumes.ts';

export interface Front {
  /** The bytes of bundle.json. */
  readonly manifest: Buffer;
  /** The signature slots, each 4 KiB, as they are. */
  readonly slots: readonly Buffer[];
}

export interface Medium {
  /** Bounded, and without parsing. @throws BUNDLE_CORRUPT naming the region */
  readFront(): Promise<Front>;
  /** Compares every byte that is neither bundle.json, slot nor body with what the manifest makes it. @throws BUNDLE_CORRUPT, VOLUME_MISSING */
  checkFrames(front: Front, manifest: BundleManifest): Promise<void>;
  /** Bytes of a body; fewer only where it is cut off. */
  readBody(path: string, start: number, length: number, into?: Buffer): Promise<Buffer>;
  /** File and offset of a byte of a body. */
  locate(path: string, start: number): string;
  close(): Promise<void>;
}

/** @param paths the tar, its volumes, media folders, or one unpacked folder */
export async function openMedium(paths: readonly string[]): Promise<Medium> {
  const [only] = paths;
  if (paths.length === 1 && only !== undefined && (await isUnpacked(only))) return folderMedium(only);
  return tarMedium(await openVolumes(paths));
}

function tarMedium(volumes: VolumeSet): Medium {
  const frames = new Map<string, Frame>();
  const expect = async (offset: number, expected: Buffer, what: string): Promise<void> => {
    const found = await volumes.read(offset, expected.byteLength);
    if (!found.equals(expected)) throw corrupt(what, volumes.locate(offset));
  };
  return {
    readFront: async () => {
      const hint = claimedSize(await volumes.read(0, BLOCK));
      if (hint < 0 || hint > BUNDLE_MANIFEST_LIMIT) throw corrupt('the tar header of bundle.json', volumes.locate(0));
      await expect(0, tarHeader(MANIFEST_PATH, hint), 'the tar header of bundle.json');
      const manifest = await volumes.read(BLOCK, hint);
      const slots: Buffer[] = [];
      for (let offset = firstSlotOffset(hint); slots.length < MAX_SIGNATURE_SLOTS; offset += BLOCK + SLOT_SIZE) {
        const header = await volumes.read(offset, BLOCK);
        if (!header.equals(tarHeader(slotPath(slots.length), SLOT_SIZE))) break;
        slots.push(await volumes.read(offset + BLOCK, SLOT_SIZE));
      }
      if (slots.length === 0) throw corrupt('the tar header of bundle.json.sig', volumes.locate(firstSlotOffset(hint)));
      return { manifest, slots };
    },
    checkFrames: async (front, manifest) => {
      const geometry = geometryOf(front.manifest.byteLength, manifest);
      checkLength(volumes, geometry);
      for (const gap of geometry.gaps) await checkGap(volumes, gap);
      for (const frame of geometry.frames) frames.set(frame.path, frame);
    },
    readBody: (path, start, length, into) =>
      volumes.read((frames.get(path)?.offset ?? volumes.size) + start, length, into),
    locate: (path, start) => volumes.locate((frames.get(path)?.offset ?? 0) + start),
    close: () => volumes.close(),
  };
}

async function checkGap(volumes: VolumeSet, gap: Gap): Promise<void> {
  const found = await volumes.read(gap.offset, gap.bytes.byteLength);
  if (found.equals(gap.bytes)) return;
  const at = gap.bytes.findIndex((byte, i) => byte !== found[i]);
  throw corrupt(nameInGap(gap, gap.offset + at), volumes.locate(gap.offset + at));
}

/** A set of volumes can lack its last ones; anything else of another length was cut or added to. */
function checkLength(volumes: VolumeSet, geometry: Geometry): void {
  const [first] = volumes.volumes;
  const last = volumes.volumes.at(-1);
  if (!first || !last) return;
  if (volumes.numbered) {
    const wrong = volumes.volumes.slice(0, -1).find((volume) => volume.size !== first.size);
    if (wrong) {
      throw new AirgapError(
        'BUNDLE_CORRUPT',
        `${wrong.path} has ${wrong.size} bytes where ${first.path} has ${first.size}: one of them is cut short or belongs to another set`,
      );
    }
    const count = Math.ceil(geometry.size / first.size);
    const have = volumes.volumes.length;
    if (have < count && last.size === first.size)
      throw missingVolumes(
        Array.from({ length: count - have }, (_, i) => have + i + 1),
        first.path,
      );
  }
  if (volumes.size === geometry.size) return;
  const [what, by] =
    volumes.size < geometry.size
      ? ['cut short', geometry.size - volumes.size]
      : ['longer than what was signed', volumes.size - geometry.size];
  throw new AirgapError('BUNDLE_CORRUPT', `${last.path} is ${what} by ${by} bytes`, {
    details: { expected: geometry.size, found: volumes.size },
  });
}

function folderMedium(folder: string): Medium {
  const read = async (path: string, start: number, length: number, into?: Buffer): Promise<Buffer> => {
    const file = await openRegular(join(folder, path));
    try {
      return await readFully(file, scratch(into, length), start);
    } finally {
      await file.close();
    }
  };
  return {
    readFront: async () => {
      const size = await sizeOf(join(folder, MANIFEST_PATH));
      if (size > BUNDLE_MANIFEST_LIMIT)
        throw corrupt('bundle.json', `${join(folder, MANIFEST_PATH)} at byte ${BUNDLE_MANIFEST_LIMIT}`);
      const slots: Buffer[] = [];
      while (
        slots.length < MAX_SIGNATURE_SLOTS &&
        (slots.length === 0 || (await isThere(join(folder, slotPath(slots.length)))))
      ) {
        slots.push(await read(slotPath(slots.length), 0, SLOT_SIZE + 1));
      }
      return { manifest: await read(MANIFEST_PATH, 0, size), slots };
    },
    checkFrames: async (_front, manifest) => {
      for (const entry of manifest.entries) {
        const size = await sizeOf(join(folder, entry.path));
        if (size !== entry.size)
          throw new AirgapError(
            'BUNDLE_CORRUPT',
            `${join(folder, entry.path)} has ${size} bytes where ${entry.size} were signed`,
          );
      }
    },
    readBody: read,
    locate: (path, start) => `${join(folder, path)} at byte ${start}`,
    close: () => Promise.resolve(),
  };
}

async function sizeOf(path: string): Promise<number> {
  const file = await openRegular(path);
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Links are refused: an unpacked bundle holds regular files only. */
async function openRegular(path: string): Promise<FileHandle> {
  try {
    const info = await lstat(path);
    if (!info.isFile()) throw new AirgapError('BUNDLE_CORRUPT', `${path} is not a regular file`);
    return await open(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT')
      throw new AirgapError('BUNDLE_INCOMPLETE', `${path} is missing from the unpacked bundle`, { cause: error });
    throw fileError(error, 'read', path);
  }
}

async function isUnpacked(path: string): Promise<boolean> {
  return isThere(join(path, MANIFEST_PATH));
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function corrupt(what: string, where: string): AirgapError {
  return new AirgapError('BUNDLE_CORRUPT', `${what} is not what was signed (${where})`, {
    details: { region: what, where },
  });
}
