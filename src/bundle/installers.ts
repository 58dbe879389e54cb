// The installers beside a bundle: whoever carries one that is not the signed one must hear of it.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestOfStream } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { borrowFileRange } from '../core/named-file.ts';
import type { BundleInstaller, BundleManifest } from './manifest.ts';

/**
 * Names of the installers that lie beside the bundle and are those of its manifest; one that is not there was left at home.
 * @param paths as for `openBundle`
 * @throws BUNDLE_CORRUPT
 */
export async function checkInstallers(
  { installers }: Pick<BundleManifest, 'installers'>,
  paths: readonly string[],
  { signal }: Activity = {},
): Promise<string[]> {
  const folders = new Set<string>();
  for (const path of paths) folders.add((await stat(path)).isDirectory() ? path : dirname(path));
  const found: string[] = [];
  for (const installer of installers) {
    for (const folder of folders) {
      const path = join(folder, installer.name);
      if ((await stat(path).catch(() => undefined)) === undefined) continue;
      await checkInstaller(installer, path, signal);
      found.push(installer.name);
    }
  }
  return found;
}

async function checkInstaller({ digest, size }: BundleInstaller, path: string, signal?: AbortSignal): Promise<void> {
  const found = await digestOfStream(borrowFileRange(path, { end: size + 1, signal }));
  if (found.digest === digest && found.size === size) return;
  throw new AirgapError('BUNDLE_CORRUPT', `${path} is not the installer that was signed`, {
    hint: 'Do not run it. Carry it over again, and check it with the commands on the trust card.',
    details: { region: path, expected: digest, found: found.digest },
  });
}
