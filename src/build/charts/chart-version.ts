// Versions of charts, as Helm reads them: Semantic Versioning with build metadata, and tolerant of a leading v and of
// missing numbers. Versions of Elastic's own are the catalogue's.

const NUMBER = '(0|[1-9][0-9]*)';
const REST = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = new RegExp(`^v?${NUMBER}(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:-(${REST}))?(?:\\+${REST})?$`);

export function isChartVersion(text: string): boolean {
  return text.length <= 256 && VERSION.test(text);
}

/** Whether two texts are the same version; build metadata does not count. */
export function isSameVersion(a: string, b: string): boolean {
  const [one, other] = [precedence(a), precedence(b)];
  return one !== undefined && one === other;
}

/** For people: the newest first. */
export function newestFirst(versions: readonly string[]): string[] {
  return [...versions].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

function precedence(text: string): string | undefined {
  const parts = isChartVersion(text) ? VERSION.exec(text) : null;
  if (parts === null) return undefined;
  const [, major, minor = '0', patch = '0', pre = ''] = parts;
  return `${major}.${minor}.${patch}-${pre}`;
}
