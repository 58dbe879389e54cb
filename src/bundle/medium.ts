// The shape a bundle is read in: its tar (tar-medium.ts), or the folder that some other program unpacked it to
// (folder-medium.ts). Both give bundle.json and its signature slots before anything is parsed, and then bodies by path.
import type { BundleManifest } from './manifest.ts';
import type { Span } from './volume-set.ts';

export interface Front {
  /** The bytes of bundle.json. */
  readonly manifest: Buffer;
  /** The signature slots, as they are; 4 KiB each, if they are well-formed. */
  readonly slots: readonly Buffer[];
}

export interface Medium {
  /** Bounded, and without parsing. @throws BUNDLE_CORRUPT naming the region, VOLUME_MISSING */
  readFront(): Promise<Front>;
  /** Compares every byte that is neither bundle.json, slot nor body with what the manifest makes it. @throws BUNDLE_CORRUPT, VOLUME_MISSING */
  checkFrames(front: Front, manifest: BundleManifest, signal?: AbortSignal): Promise<void>;
  /** Fills `buffer` with a body from `start`; the answer is shorter only where the body is cut off. @throws IO_FAILED */
  readBody(path: string, start: number, buffer: Buffer): Promise<Buffer>;
  /** Where bytes of a body lie. */
  spans(path: string, start: number, length: number): Span[];
  close(): Promise<void>;
}
