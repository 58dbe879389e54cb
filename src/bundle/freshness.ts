// How a newer bundle is told from an older one: `sequence`, which grows with each bundle of a name, and `expires`, after
// which a bundle is not to be used. Both are signed with the rest of bundle.json.
import { AirgapError } from '../core/errors.ts';

/** Of bundle.json. */
export interface Freshness {
  readonly sequence: number;
  readonly expires?: string;
}

const TIME = /^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$/;
const DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const FIRST_YEAR = 1970;

/** `YYYY-MM-DDTHH:MM:SSZ`, a time that exists, from 1970 on; a leap second does not. */
export function isExpiry(text: string): boolean {
  const [, year = 0, month = 0, day = 0] = (TIME.exec(text) ?? []).map(Number);
  return year >= FIRST_YEAR && day <= daysIn(year, month);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** @param text such a time, or a day, which is meant to its end. @throws USAGE */
export function parseExpiry(text: string): string {
  const time = DAY.test(text) ? `${text}T23:59:59Z` : text;
  if (isExpiry(time)) return time;
  throw new AirgapError('USAGE', `not a time to expire at: ${JSON.stringify(text.slice(0, 50))}`, {
    hint: 'Write a day (2030-12-31, which is meant to its end) or a time in UTC (2030-12-31T12:00:00Z).',
  });
}

/** Whether a bundle is past its last second; one without a time never is. */
export function isExpired({ expires }: Pick<Freshness, 'expires'>, now: Date): boolean {
  return expires !== undefined && now.toISOString() > expires; // "." of a fraction sorts before "Z"
}

/** For people: `sequence 7, expires 2030-12-31T23:59:59Z`. */
export function describeFreshness({ sequence, expires }: Freshness): string {
  return expires === undefined ? `sequence ${sequence}, never expires` : `sequence ${sequence}, expires ${expires}`;
}

/** Text that is a sequence: a whole number below 2^53; undefined for anything else. */
export function parseSequence(text: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}
