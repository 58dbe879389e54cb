// How damage is named: what it is in the bundle, and in which file of the media it lies.
import { AirgapError } from '../core/errors.ts';
import type { Span } from './volume-set.ts';

/** `site.tar.002 at byte 512`, or from one file to another. */
export function describeSpans(spans: readonly Span[]): string {
  const [first, last] = [spans[0], spans.at(-1)];
  if (!first || !last) return 'nowhere';
  const from = `${first.path} at byte ${first.offset}`;
  return first === last ? from : `${from} to ${last.path} at byte ${last.offset + last.length}`;
}

/** @param region names a part of the bundle: a path, a header, padding, the trailer */
export function damaged(region: string, spans: readonly Span[]): AirgapError {
  return new AirgapError('BUNDLE_CORRUPT', `${region} is not what was signed (${describeSpans(spans)})`, {
    hint: 'Carry the named file over again.',
    details: { region, spans },
  });
}
