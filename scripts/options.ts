// Values of options.

/** @throws Error for what is no whole number */
export function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]{1,10}$/.test(text)) return Number(text);
  throw new Error(`${option} ${text}: it takes a whole number`);
}
