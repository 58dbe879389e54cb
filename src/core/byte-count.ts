// Numbers of bytes, for people.

/** Binary units, three significant digits: 1.25 GiB. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= (unit === 0 ? 1024 : 1000) && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0
    ? `${Math.round(value)} B`
    : `${value < 1000 ? value.toPrecision(3) : Math.round(value)} ${units[unit] ?? ''}`;
}

/** Every byte, in groups of three digits: 1,342,177,280. */
export function groupedNumber(value: number): string {
  return String(value).replace(/\B(?=(?:[0-9]{3})+$)/g, ',');
}
