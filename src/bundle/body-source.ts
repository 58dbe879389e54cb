// Where the bodies of a bundle that is being written come from.
import type { ReaderAt } from '../core/streams.ts';
import type { BundleEntry } from './manifest.ts';

export interface BodySource {
  /** The bytes of an entry, not checked yet. @throws CONTENT_MISSING */
  open(entry: BundleEntry): Promise<ReaderAt>;
}
