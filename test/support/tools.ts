// Programs of the system that some tests run as peers. Where one is missing, what needs it is skipped, and says so.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether all programs are in PATH; prints which is not, and what is skipped for it. */
export function haveTools(purpose: string, ...names: readonly string[]): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const missing = names.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  if (missing.length > 0) console.log(`skipped: ${purpose}: ${missing.join(', ')} not installed`);
  return missing.length === 0;
}
