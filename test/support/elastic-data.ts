// Elastic's own files, where they lie beside the checkout: input that tests may use, and that is no part of the project.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ELASTIC_DATA =
  process.env['ECK_AIRGAP_TEST_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** The folder of that name; where there is none, what is skipped for it is printed. */
export function elasticData(purpose: string, name: string): string | undefined {
  const folder = `${ELASTIC_DATA}/${name}`;
  if (existsSync(folder)) return folder;
  console.log(`skipped: ${purpose}: no ${folder}; ECK_AIRGAP_TEST_DATA names another folder of such data`);
  return undefined;
}
