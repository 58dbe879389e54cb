// Elastic's own files, where they lie beside the checkout: input that tests may use, and that is no part of the project.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DATA = process.env['ECK_AIRGAP_TEST_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** The folder of that name; where there is none, what is skipped for it is printed. */
export function elasticData(purpose: string, name: string): string | undefined {
  const folder = `${DATA}/${name}`;
  if (existsSync(folder)) return folder;
  console.log(`skipped: ${purpose}: ${folder} is not there`);
  return undefined;
}
