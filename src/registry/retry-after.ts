// Retry-After (RFC 9110 §10.2.3): seconds or an HTTP-date.

/** Longer waits are cut to this: 5 minutes, in milliseconds. */
export const RETRY_AFTER_CAP = 5 * 60 * 1000;

const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Milliseconds to wait from `now` on, between 0 and the cap; undefined when the header is absent or malformed. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const wait = /^[0-9]{1,15}$/.test(text) ? Number(text) * 1000 : sinceEpoch(text) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), RETRY_AFTER_CAP);
}

function sinceEpoch(text: string): number {
  const [, day, month, year, hours, minutes, seconds] = HTTP_DATE.exec(text) ?? [];
  if (month === undefined) return NaN;
  // eslint-disable-next-line no-restricted-globals -- arithmetic with a date that was given, no clock
  return Date.UTC(Number(year), MONTHS.indexOf(month), Number(day), Number(hours), Number(minutes), Number(seconds));
}
