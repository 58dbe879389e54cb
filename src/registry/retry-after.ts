// Retry-After (RFC 9110 §10.2.3): seconds or an HTTP-date.

const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Milliseconds to wait from `now` on, at least 0 and of any length; undefined when the header is absent or malformed. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const wait = /^[0-9]{1,15}$/.test(text) ? Number(text) * 1000 : sinceEpoch(text) - now;
  return Number.isNaN(wait) ? undefined : Math.max(wait, 0);
}

function sinceEpoch(text: string): number {
  const [, day, month, year, hours, minutes, seconds] = HTTP_DATE.exec(text) ?? [];
  if (month === undefined) return NaN;
  // eslint-disable-next-line no-restricted-globals -- arithmetic with a date that was given, no clock
  return Date.UTC(Number(year), MONTHS.indexOf(month), Number(day), Number(hours), Number(minutes), Number(seconds));
}

/** For messages: in the largest unit that fits. */
export function waitText(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`;
}
