// The two headers that say which bytes: Content-Range of a partial answer (RFC 9110 §14.4), and the Range with which a
// registry says what it holds of an upload (distribution-spec, "pushing a blob in chunks").

export interface ContentRange {
  readonly start: number;
  /** Last byte, inclusive. */
  readonly end: number;
  readonly total: number | undefined;
}

const NUMBER = '([0-9]{1,15})';
const CONTENT_RANGE = new RegExp(`^bytes ${NUMBER}-${NUMBER}/(?:${NUMBER}|\\*)$`, 'i');
const UPLOAD_RANGE = new RegExp(`^(?:bytes[= ])?0-(?:${NUMBER}|-1)$`, 'i');

export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const [, start, end, total] = CONTENT_RANGE.exec(header?.trim() ?? '') ?? [];
  if (start === undefined || end === undefined) return undefined;
  return { start: Number(start), end: Number(end), total: total === undefined ? undefined : Number(total) };
}

/**
 * The last byte of an upload that the registry says it holds; undefined when it does not say. 0 stands for one byte or
 * none: registries write `0-0` for both.
 */
export function parseUploadRange(header: string | undefined): number | undefined {
  const found = UPLOAD_RANGE.exec(header?.trim() ?? '');
  return found === null ? undefined : Number(found[1] ?? 0);
}
