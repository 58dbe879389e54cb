// Where what lies in a bundle: every byte belongs to exactly one region, as the geometry says.
import { MANIFEST_PATH, type Geometry } from '../../src/bundle/geometry.ts';

export type RegionKind = 'manifest' | 'signature' | 'header' | 'padding' | 'body' | 'trailer';

export interface Region {
  readonly kind: RegionKind;
  /** As messages name it, but for bodies: their path. */
  readonly name: string;
  readonly start: number;
  /** At least one byte. */
  readonly size: number;
}

/** In file order. */
export function regionsOf({ gaps, frames }: Geometry): Region[] {
  const found: Region[] = [];
  for (const { offset, padding, length, after = '', before } of gaps) {
    found.push({ kind: 'padding', name: `padding after ${after}`, start: offset, size: padding });
    const [start, size] = [offset + padding, length - padding];
    found.push(
      before === undefined
        ? { kind: 'trailer', name: 'the trailer', start, size }
        : { kind: 'header', name: `the tar header of ${before}`, start, size },
    );
  }
  for (const { path, offset, size } of frames) found.push({ kind: kindOf(path), name: path, start: offset, size });
  return found.filter(({ size }) => size > 0).sort((a, b) => a.start - b.start);
}

function kindOf(path: string): RegionKind {
  if (path === MANIFEST_PATH) return 'manifest';
  return path.startsWith(`${MANIFEST_PATH}.`) ? 'signature' : 'body';
}
